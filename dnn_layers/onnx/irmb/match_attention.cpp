#include "match_attention.hpp"

#include "layout.hpp"
#include "match_activation.hpp"
#include "match_conv.hpp"

#include <algorithm>
#include <cmath>

namespace irmb::onnx {
namespace {

constexpr double scale_tolerance = 1e-3; // relative; files hold it in half precision at worst

/// How a map is cut into windows.
struct Windows {
    int64_t batch = 0;
    int64_t channels = 0;
    int64_t height = 0; ///< of the map, without padding
    int64_t width = 0;
    int64_t rows = 0; ///< h1, tokens of a window from top to bottom
    int64_t cols = 0; ///< w1
    int64_t n1 = 0;   ///< windows in y
    int64_t n2 = 0;   ///< windows in x

    int64_t count() const { return batch * n1 * n2; }
    int64_t tokens() const { return rows * cols; }
};

int64_t ceilDiv(int64_t a, int64_t b) {
    return (a + b - 1) / b;
}

/// Calls visit(window, token, pixel) with the pixel's place in its plane, or -1 for padding, and
/// the image's number; stops and returns false as soon as a visit does.
template <typename Visit>
bool forEachToken(const Windows& w, Visit visit) {
    for (int64_t window = 0; window < w.count(); ++window) {
        const int64_t image = window / (w.n1 * w.n2);
        const int64_t i = window / w.n2 % w.n1;
        const int64_t j = window % w.n2;
        for (int64_t token = 0; token < w.tokens(); ++token) {
            const int64_t y = token / w.cols * w.n1 + i;
            const int64_t x = token % w.cols * w.n2 + j;
            const bool inside = y < w.height && x < w.width;
            if (!visit(window, token, image, inside ? y * w.width + x : -1))
                return false;
        }
    }
    return true;
}

/// Place of a map's element in memory.
int64_t mapOffset(const Windows& w, int64_t image, int64_t channel, int64_t pixel, int64_t channels,
                  bool channel_last) {
    const int64_t area = w.height * w.width;
    return channel_last ? (image * area + pixel) * channels + channel
                        : (image * channels + channel) * area + pixel;
}

/// The partition of a map into strided windows: `layout` ends at [B', C, h1, w1].
bool isPartition(const Layout& layout, const Windows& w, bool channel_last) {
    return forEachToken(w, [&](int64_t window, int64_t token, int64_t image, int64_t pixel) {
        for (int64_t c = 0; c < w.channels; ++c) {
            const int64_t expected =
                pixel < 0 ? -1 : mapOffset(w, image, c, pixel, w.channels, channel_last);
            if (layout.index[(window * w.channels + c) * w.tokens() + token] != expected)
                return false;
        }
        return true;
    });
}

/// Shape of the heads' operands: [.., windows * heads, rows, cols] with any leading dimensions.
struct Operand {
    int64_t matrices = 0;
    int64_t rows = 0;
    int64_t cols = 0;
};

std::optional<Operand> operand(const GraphView& view, const std::string& tensor) {
    const Shape* shape = view.shape(tensor);
    if (!shape || shape->size() < 3)
        return std::nullopt;
    const int64_t rows = (*shape)[shape->size() - 2];
    const int64_t cols = shape->back();
    if (rows < 1 || cols < 1)
        return std::nullopt;
    return Operand{elementCount(*shape) / (rows * cols), rows, cols};
}

/// Whether `layout`, which starts at a convolution's output [B', total, h1, w1], is the head-major
/// split [B', heads, tokens, dim] (or [.., dim, tokens]) of its channels from `first` on.
bool isHeadSplit(const Layout& layout, const Windows& w, int64_t total, int64_t first,
                 int64_t heads, int64_t dim, bool transposed) {
    const int64_t tokens = w.tokens();
    if (static_cast<int64_t>(layout.index.size()) != w.count() * heads * tokens * dim)
        return false;
    std::size_t at = 0;
    for (int64_t window = 0; window < w.count(); ++window)
        for (int64_t head = 0; head < heads; ++head)
            for (int64_t a = 0; a < (transposed ? dim : tokens); ++a)
                for (int64_t b = 0; b < (transposed ? tokens : dim); ++b) {
                    const int64_t channel = first + head * dim + (transposed ? a : b);
                    const int64_t token = transposed ? b : a;
                    if (layout.index[at++] != (window * total + channel) * tokens + token)
                        return false;
                }
    return true;
}

/// Finds the attention around one Softmax step by step; each step returns false when the graph
/// computes something else.
class AttentionMatcher {
public:
    AttentionMatcher(const GraphView& view, int softmax) : view_(view), softmax_(softmax) {}

    std::optional<AttentionMatch> run() {
        if (!findProducts() || !findQk() || !findBase() || !checkQk())
            return std::nullopt;
        if (!(isPre() ? matchPre() : matchPost()) || isPaddedOutside())
            return std::nullopt;
        describe();
        checkUses();
        return std::move(match_);
    }

private:
    /// MatMul(q, kT) -> scale -> Softmax over the last axis -> MatMul(A, v)
    bool findProducts() {
        const Node& softmax = view_.node(softmax_);
        const Shape* shape = view_.shape(softmax.inputs[0]);
        const int64_t axis = softmax.intAttr("axis", view_.model().opset() < 13 ? 1 : -1);
        if (!shape || shape->size() < 3 ||
            (axis != -1 && axis != static_cast<int64_t>(shape->size()) - 1))
            return false;
        const Scaled logits = stripScale(view_, softmax.inputs[0]);
        const Node* product = view_.producer(logits.source);
        if (!product || !product->is("MatMul"))
            return false;
        q_ = stripMoves(product->inputs[0]);
        k_ = stripMoves(product->inputs[1]);
        scale_ = logits.factor * q_.scale * k_.scale;
        addNodes(logits.nodes);
        match_.nodes.insert({softmax_, view_.producerIndex(logits.source)});
        for (const int consumer : view_.links().consumers(softmax.outputs[0])) {
            const Node& node = view_.node(consumer);
            if (node.is("MatMul") && node.inputs[0] == softmax.outputs[0]) {
                match_.nodes.insert(consumer);
                v_operand_ = node.inputs[1];
                attended_ = node.outputs[0];
                return true;
            }
        }
        return false;
    }

    /// One operand of the first product, moved and multiplied by scalars in any order.
    struct MovedOperand {
        std::string tensor;
        std::string source;
        double scale = 1;
        std::vector<std::string> moved; ///< outputs of the movements, from tensor back to source
    };

    MovedOperand stripMoves(const std::string& tensor) {
        MovedOperand operand{tensor, tensor, 1, {}};
        for (;;) {
            const Scaled scaled = stripScale(view_, operand.source);
            addNodes(scaled.nodes);
            operand.source = scaled.source;
            operand.scale *= scaled.factor;
            const Node* node = view_.producer(operand.source);
            if (!node || !isMovement(view_, *node))
                return operand;
            operand.moved.push_back(operand.source);
            operand.source = node->inputs[0];
        }
    }

    /// What the movements of `operand` do; multiplication by a scalar leaves elements in place.
    std::optional<Layout> layoutOf(const MovedOperand& operand) const {
        auto layout = identityLayout(view_, operand.source);
        for (auto output = operand.moved.rbegin(); layout && output != operand.moved.rend();
             ++output)
            if (!extend(view_, view_.producerIndex(*output), *output, *layout))
                return std::nullopt;
        return layout;
    }

    bool findQk() {
        const auto conv = matchConv(view_, q_.source);
        if (!conv || q_.source != k_.source || !conv->isPointwise() || conv->groups != 1 ||
            conv->out_channels != 2 * conv->in_channels)
            return false;
        qk_ = *conv;
        match_.nodes.insert(conv->node);
        return true;
    }

    /// The normalised map whose windows the convolution reads: the farthest tensor of the movement
    /// chain that is a whole map and is cut into strided windows.
    bool findBase() {
        const Shape* windows = view_.shape(qk_.input);
        if (!windows || windows->size() != 4 || view_.graph().inputs.empty())
            return false;
        std::vector<std::string> chain = movementChain(view_, qk_.input);
        for (auto tensor = chain.rbegin(); tensor != chain.rend(); ++tensor)
            for (const bool channel_last : {true, false})
                if (tryBase(*tensor, *windows, channel_last))
                    return true;
        return false;
    }

    bool tryBase(const std::string& tensor, const Shape& windows, bool channel_last) {
        const Shape* shape = view_.shape(tensor);
        if (!shape || shape->size() != 4 || windows[2] < 1 || windows[3] < 1)
            return false;
        Windows w;
        w.batch = (*shape)[0];
        w.channels = (*shape)[channel_last ? 3 : 1];
        w.height = (*shape)[channel_last ? 1 : 2];
        w.width = (*shape)[channel_last ? 2 : 3];
        w.rows = windows[2];
        w.cols = windows[3];
        w.n1 = ceilDiv(w.height, w.rows);
        w.n2 = ceilDiv(w.width, w.cols);
        // A partition into windows of another kind looks like a batch of maps: ask for the
        // network's.
        if (w.channels != windows[1] || w.count() != windows[0] || !isNetworkBatch(w.batch))
            return false;
        const auto layout = traceBack(view_, qk_.input, tensor);
        if (!layout || !isPartition(*layout, w, channel_last))
            return false;
        const auto norm = matchNorm(view_, tensor, channel_last);
        if (!norm)
            return false;
        match_.norm = *norm;
        match_.base = tensor;
        addNodes(layout->nodes);
        windows_ = w;
        channel_last_ = channel_last;
        return true;
    }

    bool isNetworkBatch(int64_t batch) const {
        const Shape* input = view_.shape(view_.graph().inputs[0].name);
        return input && !input->empty() && input->front() == batch;
    }

    bool checkQk() {
        const auto q = layoutOf(q_);
        const auto k = layoutOf(k_);
        const auto size = operand(view_, q_.tensor);
        if (!q || !k || !size || size->rows != windows_.tokens() ||
            windows_.channels % size->cols != 0)
            return false;
        const int64_t dim = size->cols;
        heads_ = windows_.channels / dim;
        const int64_t total = 2 * windows_.channels;
        scale_ratio_ = scale_ * std::sqrt(static_cast<double>(dim));
        if (std::abs(scale_ratio_ - 1) > scale_tolerance)
            return false;
        addNodes(q->nodes);
        addNodes(k->nodes);
        return isHeadSplit(*q, windows_, total, 0, heads_, dim, false) &&
               isHeadSplit(*k, windows_, total, windows_.channels, heads_, dim, true);
    }

    bool isPre() const {
        const auto chain = movementChain(view_, v_operand_);
        return std::find(chain.begin(), chain.end(), match_.base) != chain.end();
    }

    /// y = A act(conv_v(x))
    bool matchPost() {
        const auto size = operand(view_, v_operand_);
        const std::string start = movementChain(view_, v_operand_).back();
        const auto layout = traceBack(view_, v_operand_, start);
        if (!size || !layout || size->rows != windows_.tokens() || !takeValue(start) ||
            v_.out_channels != heads_ * size->cols || !readsWindows(v_.input))
            return false;
        addNodes(layout->nodes);
        return isHeadSplit(*layout, windows_, v_.out_channels, 0, heads_, size->cols, false) &&
               findOutput(attended_, [&](int64_t window, int64_t channel, int64_t token) {
                   const int64_t head = channel / size->cols;
                   return ((window * heads_ + head) * windows_.tokens() + token) * size->cols +
                          channel % size->cols;
               });
    }

    /// y = act(conv_v(A x))
    bool matchPre() {
        const int64_t dim = windows_.channels / heads_;
        const int64_t tokens = windows_.tokens();
        if (!readsHeads(dim))
            return false;
        auto gathered = identityLayout(view_, attended_);
        const auto conv_input = follow(gathered, [&](const Layout& layout) {
            if (layout.shape !=
                Shape{windows_.count(), windows_.channels, windows_.rows, windows_.cols})
                return false;
            for (int64_t i = 0; i < static_cast<int64_t>(layout.index.size()); ++i) {
                const int64_t channel = i / tokens % windows_.channels;
                const int64_t matrix = i / tokens / windows_.channels * heads_ + channel / dim;
                if (layout.index[i] != (matrix * tokens + i % tokens) * dim + channel % dim)
                    return false;
            }
            return true;
        });
        if (!conv_input)
            return false;
        const std::string activated = activatedConv(*conv_input);
        return !activated.empty() &&
               findOutput(activated, [&](int64_t window, int64_t channel, int64_t token) {
                   return (window * v_.out_channels + channel) * tokens + token;
               });
    }

    /// With attn_pre the second operand is the window itself, split into heads.
    bool readsHeads(int64_t dim) {
        const auto layout = traceBack(view_, v_operand_, match_.base);
        const int64_t tokens = windows_.tokens();
        if (!layout || static_cast<int64_t>(layout->index.size()) !=
                           windows_.count() * windows_.channels * tokens)
            return false;
        addNodes(layout->nodes);
        return forEachToken(windows_, [&](int64_t window, int64_t token, int64_t image,
                                          int64_t pixel) {
            for (int64_t c = 0; c < windows_.channels; ++c) {
                const int64_t at = ((window * heads_ + c / dim) * tokens + token) * dim + c % dim;
                const int64_t expected = pixel < 0 ? -1
                                                   : mapOffset(windows_, image, c, pixel,
                                                               windows_.channels, channel_last_);
                if (layout->index[at] != expected)
                    return false;
            }
            return true;
        });
    }

    /// The activation's output that ends act(conv_v(`input`)), or "".
    std::string activatedConv(const std::string& input) {
        const int reader = view_.soleConsumer(input);
        const auto conv = reader < 0 ? std::nullopt : matchConvNode(view_, reader);
        if (!conv || conv->input != input)
            return {};
        std::string best;
        std::string at = conv->output;
        for (int depth = 0; depth < 12; ++depth) {
            if (const auto act = matchActivation(view_, at); act && act->source == conv->output)
                best = at;
            const std::vector<int>& readers = view_.links().consumers(at);
            if (readers.empty() || isMovement(view_, view_.node(readers.back())))
                break;
            at = view_.node(readers.back()).outputs[0];
        }
        return !best.empty() && takeValue(best) ? best : std::string();
    }

    /// v = act(conv) that makes `tensor`.
    bool takeValue(const std::string& tensor) {
        const auto act = matchActivation(view_, tensor);
        const auto conv = matchConv(view_, act ? act->source : tensor);
        if (!act || !conv || !conv->isPointwise() || conv->in_channels != windows_.channels ||
            (conv->groups != 1 && conv->groups != heads_))
            return false;
        v_ = *conv;
        addToBias(v_, act->offset);
        match_.params.act = act->act;
        match_.weights.v_slope = act->slope;
        match_.nodes.insert(conv->node);
        addNodes(act->nodes);
        return true;
    }

    /// Whether `tensor` holds the same windows as the input of qk's convolution.
    bool readsWindows(const std::string& tensor) {
        if (tensor == qk_.input)
            return true;
        const auto layout = traceBack(view_, tensor, match_.base);
        const Shape* shape = view_.shape(qk_.input);
        if (!layout || !shape || layout->shape != *shape)
            return false;
        addNodes(layout->nodes);
        return isPartition(*layout, windows_, channel_last_);
    }

    /// Follows movements forward as long as each tensor has one reader. Returns the last tensor
    /// that `accept` takes; its nodes become part of the match.
    template <typename Accept>
    std::optional<std::string> follow(std::optional<Layout>& layout, Accept accept) {
        if (!layout)
            return std::nullopt;
        std::string at = layout->source;
        std::optional<std::string> best;
        std::vector<int> best_nodes;
        for (;;) {
            if (accept(*layout)) {
                best = at;
                best_nodes = layout->nodes;
            }
            const int reader = view_.soleConsumer(at);
            if (reader < 0 || view_.node(reader).outputs.size() != 1 ||
                view_.node(reader).inputs[0] != at ||
                !extend(view_, reader, view_.node(reader).outputs[0], *layout))
                break;
            at = view_.node(reader).outputs[0];
        }
        addNodes(best_nodes);
        return best;
    }

    /// Puts the windows back and crops: finds y. `offset` gives the place of an element of
    /// `start` from its window, channel and token.
    template <typename Offset>
    bool findOutput(const std::string& start, Offset offset) {
        if (findMap(start, windows_, offset))
            return true;
        Windows padded = windows_;
        padded.height = windows_.n1 * windows_.rows;
        padded.width = windows_.n2 * windows_.cols;
        match_.cropped = false;
        return findMap(start, padded, offset);
    }

    /// Finds the map of the size in `w` that holds the windows of `start`.
    template <typename Offset>
    bool findMap(const std::string& start, const Windows& w, Offset offset) {
        const int64_t channels = v_.out_channels;
        const Shape map{w.batch, channels, w.height, w.width};
        auto layout = identityLayout(view_, start);
        const auto found = follow(layout, [&](const Layout& moved) {
            return moved.shape == map && forEachToken(w, [&](int64_t window, int64_t token,
                                                             int64_t image, int64_t pixel) {
                       for (int64_t c = 0; pixel >= 0 && c < channels; ++c)
                           if (moved.index[mapOffset(w, image, c, pixel, channels, false)] !=
                               offset(window, c, token))
                               return false;
                       return true;
                   });
        });
        match_.output = found.value_or("");
        return found.has_value();
    }

    /// A map that was zero-padded before the norm, or is cropped after the attention: the norm's
    /// shift is in the padded tokens then, which an iRMB does not do.
    bool isPaddedOutside() const {
        const Node* before = view_.producer(match_.norm.source);
        if (before && before->is("Pad"))
            return true;
        const int after = view_.soleConsumer(match_.output);
        if (after < 0 || !view_.node(after).is("Slice"))
            return false;
        const Shape* cropped = view_.shape(view_.node(after).outputs[0]);
        return !cropped || cropped->size() != 4 || (*cropped)[1] == v_.out_channels;
    }

    void describe() {
        IrmbParams& params = match_.params;
        params.part = Part::Attention;
        params.dim_in = static_cast<int>(windows_.channels);
        params.dim_mid = v_.out_channels;
        params.dim_out = v_.out_channels;
        params.norm = match_.norm.norm;
        params.norm_eps = match_.norm.eps;
        params.norm_groups = match_.norm.groups;
        params.v_group = v_.groups != 1;
        params.attn_pre = isPre();
        params.qk_bias = !qk_.bias.empty();
        params.v_bias = !v_.bias.empty();
        params.dim_head = static_cast<int>(windows_.channels / heads_);
        params.has_skip = false;
        match_.height = static_cast<int>(windows_.height);
        match_.width = static_cast<int>(windows_.width);
        const bool square = windows_.rows == windows_.cols;
        const bool whole = windows_.rows == windows_.height && windows_.cols == windows_.width;
        params.window_size = square ? static_cast<int>(windows_.rows) : 0;
        if (!square && !whole)
            match_.obstacle = "its windows are not square";
        match_.weights.norm_scale = match_.norm.scale;
        match_.weights.norm_shift = match_.norm.shift;
        scaleQueries();
        match_.weights.qk_weight = qk_.weight;
        match_.weights.qk_bias = qk_.bias;
        match_.weights.v_weight = v_.weight;
        match_.weights.v_bias = v_.bias;
    }

    /// The file's scale is rounded; what it differs by from dim_head^-0.5 goes into q.
    void scaleQueries() {
        const cv::Range queries(0, qk_.in_channels);
        cv::Mat weight = qk_.weight.rowRange(queries);
        weight.convertTo(weight, CV_32F, scale_ratio_);
        if (qk_.bias.empty())
            return;
        cv::Mat bias = qk_.bias.rowRange(queries);
        bias.convertTo(bias, CV_32F, scale_ratio_);
    }

    /// What lies inside must not be read from outside.
    void checkUses() {
        for (const int index : match_.nodes)
            for (const std::string& tensor : view_.node(index).outputs) {
                if (tensor.empty() || tensor == match_.output)
                    continue;
                const std::vector<int>& readers = view_.links().consumers(tensor);
                const bool inside = !view_.links().isOutput(tensor) &&
                                    std::all_of(readers.begin(), readers.end(), [&](int reader) {
                                        return match_.nodes.count(reader) > 0;
                                    });
                if (!inside)
                    match_.obstacle = "its inner tensor '" + tensor + "' is used elsewhere as well";
            }
    }

    void addNodes(const std::vector<int>& nodes) {
        match_.nodes.insert(nodes.begin(), nodes.end());
    }

    const GraphView& view_;
    int softmax_;
    AttentionMatch match_;
    MovedOperand q_;
    MovedOperand k_;
    double scale_ = 1;       ///< that the file multiplies the logits by
    double scale_ratio_ = 1; ///< scale_ / dim_head^-0.5
    std::string v_operand_;
    std::string attended_; ///< A v, or A x
    ConvMatch qk_;
    ConvMatch v_;
    Windows windows_;
    bool channel_last_ = false;
    int64_t heads_ = 0;
};

} // namespace

std::optional<AttentionMatch> matchAttention(const GraphView& view, int softmax) {
    return AttentionMatcher(view, softmax).run();
}

} // namespace irmb::onnx
