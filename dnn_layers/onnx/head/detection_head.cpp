#include "detection_head.hpp"

#include "nms_free_tail.hpp"
#include "onnx/text.hpp"

#include <algorithm>

namespace irmb::onnx {
namespace {

constexpr int64_t kMaxClasses = 10000;
constexpr int64_t kMaxEndToEnd = 1000; // more rows of 6 are rather anchors of another head

struct Head {
    HeadKind kind = HeadKind::None;
    int64_t classes = 0;        ///< 0: unknown
    bool is_transposed = false; ///< [B, N, 4 + nc]
    std::optional<NmsFreeTail> tail;
    std::string note;
};

/// Goes back through multiplications and divisions by constants (strides, a half).
const Node* skipScaling(const GraphView& view, const std::string& tensor) {
    const Node* node = view.producer(tensor);
    while (node != nullptr && (node->is("Mul") || node->is("Div"))) {
        const bool by_second = view.constant(node->inputs[1]) != nullptr;
        const bool by_first = node->is("Mul") && view.constant(node->inputs[0]) != nullptr;
        if (!by_second && !by_first)
            break;
        node = view.producer(node->inputs[by_second ? 0 : 1]);
    }
    return node;
}

/// How the decoder makes boxes of distances to an anchor's four sides, told by its arithmetic:
/// corners are anchor - lt and anchor + rb, centre and size are a sum and a difference of corners.
HeadKind boxKind(const GraphView& view, const Rows& boxes) {
    const Node* join = skipScaling(view, traceRows(view, boxes).back().tensor);
    if (join == nullptr || !join->is("Concat") || join->inputs.size() != 2)
        return HeadKind::None;
    const Node* first = skipScaling(view, join->inputs[0]);
    const Node* second = skipScaling(view, join->inputs[1]);
    if (first == nullptr || second == nullptr)
        return HeadKind::None;
    if (first->is("Sub") && second->is("Add"))
        return HeadKind::RawXyxy;
    if (first->is("Add") && second->is("Sub"))
        return HeadKind::RawCxcywh;
    return HeadKind::None;
}

HeadKind boxKind(const GraphView& view, const std::string& output, int64_t total,
                 bool anchor_major) {
    return boxKind(view, Rows{output, anchor_major, 0, 4, total});
}

bool isClassCount(int64_t rows) {
    return rows > 4 && rows - 4 <= kMaxClasses;
}

/// A raw head whose decoder the graph shows.
Head analyseRaw(const GraphView& view, const std::string& output, const Shape& shape) {
    Head head;
    if (isClassCount(shape[1]) && shape[1] < shape[2]) {
        head.kind = boxKind(view, output, shape[1], false);
        head.classes = shape[1] - 4;
    } else if (isClassCount(shape[2]) && shape[2] < shape[1]) {
        head.kind = boxKind(view, output, shape[2], true);
        head.classes = shape[2] - 4;
        head.is_transposed = true;
    }
    return head.kind != HeadKind::None ? head : Head{};
}

/// What the shape alone suggests.
Head guess(const std::string& output, const Shape& shape) {
    Head head;
    if (shape[2] == 6 && shape[1] <= kMaxEndToEnd) {
        head.kind = HeadKind::EndToEnd;
    } else if (isClassCount(shape[1]) && shape[1] < shape[2]) {
        head.kind = HeadKind::RawCxcywh;
        head.classes = shape[1] - 4;
        head.note = "how output " + quoted(output) + " (" + toString(shape) +
                    ") writes boxes does not show in the graph: read as centre and size, as "
                    "YOLOv8 does";
    }
    return head;
}

Head analyseOutput(const GraphView& view, const std::string& output) {
    const Shape* shape = view.shape(output);
    if (shape == nullptr || shape->size() != 3)
        return {};
    Head head;
    head.tail = findNmsFreeTail(view, output);
    if (head.tail) {
        head.kind = HeadKind::EndToEnd;
        head.classes = head.tail->scores.total;
        return head;
    }
    head = analyseRaw(view, output, *shape);
    return head.kind != HeadKind::None ? head : guess(output, *shape);
}

/// Images come as [B, 3, H, W]; whatever takes something else is no detector that we can feed.
bool takesImages(const GraphView& view) {
    const Graph& graph = view.graph();
    const Shape* shape = view.shape(graph.inputs.front().name);
    return graph.inputs.size() == 1 && shape != nullptr && shape->size() == 4 && (*shape)[1] == 3;
}

/// Appends nodes to a graph and keeps its facts up to date.
class Builder {
public:
    Builder(Graph& graph, Facts& facts) : graph_(graph), facts_(facts) {}

    std::string transposed(const std::string& tensor) {
        const Shape& shape = *facts_[tensor].shape;
        return add("Transpose", {tensor}, "perm", std::vector<int64_t>{0, 2, 1},
                   {shape[0], shape[2], shape[1]});
    }

    std::string joinedRows(const std::string& first, const std::string& second) {
        const Shape& a = *facts_[first].shape;
        const Shape& b = *facts_[second].shape;
        return add("Concat", {first, second}, "axis", int64_t{1}, {a[0], a[1] + b[1], a[2]});
    }

    void setOutput(const std::string& tensor) {
        graph_.outputs = {{tensor, DataType::Float, true, *facts_[tensor].shape}};
    }

private:
    std::string add(const char* op, std::vector<std::string> inputs, const char* key,
                    Attribute value, Shape shape) {
        std::string name = "detections";
        while (facts_.count(name) != 0)
            name += "_";
        Node node;
        node.op = op;
        node.name = name;
        node.inputs = std::move(inputs);
        node.outputs = {name};
        node.attributes[key] = std::move(value);
        graph_.nodes.push_back(std::move(node));
        facts_[name] = {DataType::Float, std::move(shape)};
        return name;
    }

    Graph& graph_;
    Facts& facts_;
};

/// The last tensor on the way back that consists of these rows alone, as [B, rows, anchors].
std::string aloneAsRows(const std::vector<Rows>& chain, Builder& builder) {
    const auto is_plain = [](const Rows& r) { return r.isWhole() && !r.anchor_major; };
    const auto it = std::find_if(chain.rbegin(), chain.rend(), is_plain);
    return it != chain.rend() ? it->tensor : builder.transposed(chain.front().tensor);
}

/// The tensor [B, 4 + nc, N] that the tail starts from; built where the exporter left it out.
std::string oneToOneHead(const GraphView& view, const NmsFreeTail& tail, Builder& builder) {
    const auto boxes = traceRows(view, tail.boxes);
    const auto scores = traceRows(view, tail.scores);
    const int64_t classes = tail.scores.total;
    const Rows* transposed = nullptr;
    for (const Rows& b : boxes) {
        for (const Rows& s : scores) {
            const bool is_head = b.tensor == s.tensor && b.anchor_major == s.anchor_major &&
                                 b.begin == 0 && s.begin == 4 && b.total == 4 + classes;
            if (is_head && !b.anchor_major)
                return b.tensor;
            if (is_head)
                transposed = &b;
        }
    }
    if (transposed != nullptr)
        return builder.transposed(transposed->tensor);
    const std::string box_rows = aloneAsRows(boxes, builder);
    return builder.joinedRows(box_rows, aloneAsRows(scores, builder));
}

void rewriteOutput(OnnxModel& model, Facts& facts, const std::string& output, const Head& head,
                   bool cut) {
    Graph& graph = model.graph;
    const GraphView view(model, facts);
    Builder builder(graph, facts);
    if (head.tail && cut)
        builder.setOutput(oneToOneHead(view, *head.tail, builder));
    else if (head.is_transposed)
        builder.setOutput(builder.transposed(output));
    else
        builder.setOutput(output);
    sortNodes(graph);
    removeDead(graph);
}

} // namespace

void analyseHead(OnnxModel& model, Facts& facts, bool cut, ModelInfo& info,
                 std::vector<std::string>& notes) {
    Graph& graph = model.graph;
    std::string output;
    Head head;
    {
        const GraphView view(model, facts);
        if (!takesImages(view))
            return;
        for (const ValueInfo& candidate : graph.outputs) {
            output = candidate.name;
            head = analyseOutput(view, output);
            if (head.kind != HeadKind::None)
                break;
        }
    }
    if (head.kind == HeadKind::None)
        return;
    if (graph.outputs.size() > 1)
        notes.push_back("of " + std::to_string(graph.outputs.size()) + " outputs only " +
                        quoted(output) + " is used");
    if (!head.note.empty())
        notes.push_back(head.note);
    info.tail_cut = head.tail.has_value() && cut;
    info.head = info.tail_cut ? HeadKind::RawXyxy : head.kind;
    info.num_classes = static_cast<int>(head.classes);
    if (head.kind == HeadKind::EndToEnd)
        info.max_detections = static_cast<int>((*facts[output].shape)[1]);
    rewriteOutput(model, facts, output, head, cut);
}

} // namespace irmb::onnx
