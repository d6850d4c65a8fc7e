#include "accelerate/units.hpp"

#include "accelerate/match_attention.hpp"
#include "accelerate/match_box_tail.hpp"
#include "onnx/axis_range.hpp"
#include "onnx/irmb/custom_node.hpp"
#include "onnx/irmb/match_activation.hpp"
#include "onnx/irmb/match_norm.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_set>

namespace irmb::accelerate {
namespace {

using onnx::GraphView;
using onnx::Node;
using onnx::Shape;
using onnx::Tensor;

/// The longest spelling of an activation has fewer nodes.
constexpr int longest_activation = 8;

/// Activations that convolutions take along, the others are left to OpenCV.
bool isSupported(Activation act) {
    return act != Activation::None && act != Activation::Prelu;
}

/// An activation that is all that becomes of a tensor.
struct Activated {
    Activation act = Activation::None;
    std::string output;
    std::vector<int> nodes;
};

class UnitFinder {
public:
    explicit UnitFinder(const GraphView& view)
        : view_(view), batch_(batchOf(view)), taken_(view.graph().nodes.size()) {}

    std::vector<Unit> run() {
        if (batch_ < 1)
            return {};
        const int count = static_cast<int>(taken_.size());
        for (int i = 0; i < count; ++i)
            if (view_.node(i).is("Softmax"))
                take(matchGlobalAttention(view_, i));
        for (int i = 0; i < count; ++i)
            if (view_.node(i).is("Softmax") && !taken_[i])
                take(matchBoxTail(view_, i));
        // From the last one on: where two convolutions meet in an addition, the later takes it.
        for (int i = count - 1; i >= 0; --i)
            if (view_.node(i).is("Conv") && !taken_[i])
                take(convolution(i));
        // From the last one on as well: an activation is found at its end.
        for (int i = count - 1; i >= 0; --i)
            if (!taken_[i])
                take(single(i));
        return std::move(units_);
    }

private:
    static int64_t batchOf(const GraphView& view) {
        const auto& inputs = view.graph().inputs;
        const Shape* shape = inputs.size() == 1 ? view.shape(inputs[0].name) : nullptr;
        return shape && shape->size() == 4 ? (*shape)[0] : 0;
    }

    /// Keeps a unit whose tensors are all maps and whose nodes are free.
    void take(std::optional<Unit> unit) {
        if (!unit)
            return;
        const bool is_tail = std::holds_alternative<BoxTail>(unit->operation);
        for (const auto* tensors : {&unit->inputs, &unit->outputs})
            for (const std::string& tensor : *tensors)
                if (!isMap(tensor) && !(is_tail && tensors == &unit->outputs))
                    return;
        for (const int node : unit->nodes)
            if (taken_[node])
                return;
        for (const int node : unit->nodes)
            taken_[node] = true;
        std::sort(unit->nodes.begin(), unit->nodes.end());
        units_.push_back(std::move(*unit));
    }

    bool isMap(const std::string& tensor) const {
        const Shape* shape = view_.shape(tensor);
        return shape && shape->size() == 4 && (*shape)[0] == batch_ && !view_.constant(tensor) &&
               view_.type(tensor) == onnx::DataType::Float;
    }

    /// Whether every reader of `tensor` is among `nodes`, and nobody outside of the graph.
    bool isInner(const std::string& tensor, const std::vector<int>& nodes) const {
        const std::vector<int>& readers = view_.links().consumers(tensor);
        return !view_.links().isOutput(tensor) &&
               std::all_of(readers.begin(), readers.end(), [&](int reader) {
                   return std::find(nodes.begin(), nodes.end(), reader) != nodes.end();
               });
    }

    Activated activationOf(const std::string& tensor) const {
        std::string at = tensor;
        for (int length = 0; length < longest_activation; ++length) {
            const std::vector<int>& readers = view_.links().consumers(at);
            if (readers.empty())
                break;
            at = view_.node(readers.back()).outputs[0];
            const auto match = onnx::matchActivationOf(view_, tensor, at);
            if (match && isSupported(match->act) && isOwn(*match, tensor, at))
                return {match->act, at, match->nodes};
        }
        return {Activation::None, tensor, {}};
    }

    bool isOwn(const onnx::ActivationMatch& match, const std::string& source,
               const std::string& result) const {
        return isInner(source, match.nodes) && keepsInside(match, result);
    }

    /// Whether nothing but the result is read elsewhere.
    bool keepsInside(const onnx::ActivationMatch& match, const std::string& result) const {
        return std::all_of(match.nodes.begin(), match.nodes.end(), [&](int node) {
            const std::string& inner = view_.node(node).outputs[0];
            return !taken_[node] && (inner == result || isInner(inner, match.nodes));
        });
    }

    std::optional<Unit> convolution(int index) const {
        const Node& node = view_.node(index);
        const Tensor* weight = node.hasInput(1) ? view_.constant(node.inputs[1]) : nullptr;
        const Tensor* bias = node.hasInput(2) ? view_.constant(node.inputs[2]) : nullptr;
        if (!weight || weight->shape.size() != 4 || (node.hasInput(2) && !bias) ||
            node.stringAttr("auto_pad", "NOTSET") != "NOTSET")
            return std::nullopt;
        Convolution conv;
        conv.groups = static_cast<int>(node.intAttr("group", 1));
        conv.kernel = {static_cast<int>(weight->shape[2]), static_cast<int>(weight->shape[3])};
        conv.stride = pair(node, "strides");
        conv.dilation = pair(node, "dilations");
        conv.pads = pads(node);
        conv.weight = cv::Mat(weight->floats(), true);
        if (bias)
            conv.bias = cv::Mat(bias->floats(), true);
        return withTail({std::move(conv), {index}, {node.inputs[0]}, {node.outputs[0]}});
    }

    /// Takes activations and an addition along.
    Unit withTail(Unit unit) const {
        Convolution& conv = std::get<Convolution>(unit.operation);
        const auto follow = [&](Activation& act) {
            const Activated activated = activationOf(unit.outputs[0]);
            act = activated.act;
            unit.outputs[0] = activated.output;
            unit.nodes.insert(unit.nodes.end(), activated.nodes.begin(), activated.nodes.end());
        };
        follow(conv.before);
        const int reader = view_.soleConsumer(unit.outputs[0]);
        if (reader < 0 || taken_[reader] || !isAddition(view_.node(reader)))
            return unit;
        const Node& add = view_.node(reader);
        unit.inputs.push_back(add.inputs[add.inputs[0] == unit.outputs[0] ? 1 : 0]);
        unit.outputs[0] = add.outputs[0];
        unit.nodes.push_back(reader);
        follow(conv.after);
        return unit;
    }

    /// Of two maps of one shape.
    bool isAddition(const Node& node) const {
        return node.is("Add") && isMap(node.inputs[0]) && isMap(node.inputs[1]) &&
               node.inputs[0] != node.inputs[1] &&
               *view_.shape(node.inputs[0]) == *view_.shape(node.inputs[1]);
    }

    std::optional<Unit> single(int index) const {
        const Node& node = view_.node(index);
        if (onnx::isIrmb(node))
            return block(index);
        if (isAddition(node))
            return Unit{Add{}, {index}, node.inputs, node.outputs};
        if (node.is("Concat") && onnx::axisOf(view_, node, 1) == 1)
            return Unit{Concat{}, {index}, node.inputs, node.outputs};
        if (node.is("Split") || node.is("Slice"))
            return split(index);
        if (node.is("MaxPool"))
            return maxPool(index);
        if (node.is("BatchNormalization"))
            return batchNorm(index);
        if (node.is("Resize"))
            return resize(index);
        return activation(index);
    }

    std::optional<Unit> block(int index) const {
        const Node& node = view_.node(index);
        const Shape* shape = view_.shape(node.inputs[0]);
        if (!shape || shape->size() != 4)
            return std::nullopt;
        auto [params, weights] = onnx::readIrmb(view_.graph(), node, static_cast<int>((*shape)[1]));
        return Unit{Block{params, weights}, {index}, {node.inputs[0]}, node.outputs};
    }

    /// Ranges of channels. PyTorch's exporter writes a chunk() as a Slice for each part.
    std::optional<Unit> split(int index) const {
        const Node& node = view_.node(index);
        Split split;
        for (const std::string& output : node.outputs) {
            const Shape* shape = view_.shape(output);
            const auto begin = onnx::rangeBegin(view_, node, output, 1);
            if (!shape || shape->size() != 4 || !begin)
                return std::nullopt;
            split.begin.push_back(static_cast<int>(*begin));
        }
        return Unit{std::move(split), {index}, {node.inputs[0]}, node.outputs};
    }

    /// As a depthwise convolution with a single tap. OpenCV's new engine (5.0.0) folds one that
    /// stays behind a convolution with an activation into the convolution, on the wrong side of it.
    std::optional<Unit> batchNorm(int index) const {
        const Node& node = view_.node(index);
        const auto norm = onnx::matchNorm(view_, node.outputs[0], false);
        if (!norm || norm->norm != Norm::Batch || norm->source != node.inputs[0])
            return std::nullopt;
        Convolution scaling;
        scaling.groups = static_cast<int>(norm->scale.total());
        scaling.weight = norm->scale.clone();
        scaling.bias = norm->shift.clone();
        return withTail({std::move(scaling), {index}, {node.inputs[0]}, {node.outputs[0]}});
    }

    std::optional<Unit> maxPool(int index) const {
        const Node& node = view_.node(index);
        const Shape* in = view_.shape(node.inputs[0]);
        const Shape* out = view_.shape(node.outputs[0]);
        const auto kernel = node.intsAttr("kernel_shape");
        if (!in || !out || in->size() != 4 || node.outputs.size() != 1 || kernel.size() != 2 ||
            pair(node, "dilations") != std::array<int, 2>{1, 1} ||
            node.stringAttr("auto_pad", "NOTSET") != "NOTSET")
            return std::nullopt;
        MaxPool pool;
        pool.kernel = {static_cast<int>(kernel[0]), static_cast<int>(kernel[1])};
        pool.stride = pair(node, "strides");
        pool.pads = pads(node);
        for (int i = 0; i < 2; ++i) {
            // With ceil_mode the last window may reach further than the padding.
            const auto reach = ((*out)[2 + i] - 1) * pool.stride[i] + pool.kernel[i];
            pool.pads[2 + i] = std::max(0, static_cast<int>(reach - (*in)[2 + i] - pool.pads[i]));
            if (pool.pads[i] >= pool.kernel[i] || pool.pads[2 + i] >= pool.kernel[i])
                return std::nullopt;
        }
        return Unit{pool, {index}, {node.inputs[0]}, node.outputs};
    }

    std::optional<Unit> resize(int index) const {
        const Node& node = view_.node(index);
        const Shape* in = view_.shape(node.inputs[0]);
        const Shape* out = view_.shape(node.outputs[0]);
        if (!in || !out || in->size() != 4 || (*in)[1] != (*out)[1] ||
            node.stringAttr("mode", "nearest") != "nearest")
            return std::nullopt;
        Resize resize;
        if (!wholeFactor(node, (*in)[2], (*out)[2], resize.rows) ||
            !wholeFactor(node, (*in)[3], (*out)[3], resize.cols))
            return std::nullopt;
        return Unit{std::move(resize), {index}, {node.inputs[0]}, node.outputs};
    }

    /// The source of each place when each is repeated as often; all common ways of rounding agree
    /// then.
    static bool wholeFactor(const Node& node, int64_t in, int64_t out, std::vector<int>& source) {
        const std::string mode = node.stringAttr("coordinate_transformation_mode", "half_pixel");
        const std::string rounding = node.stringAttr("nearest_mode", "round_prefer_floor");
        const bool half = mode == "half_pixel" || mode == "pytorch_half_pixel";
        const bool agrees =
            (mode == "asymmetric" && rounding == "floor") ||
            (half && (rounding == "round_prefer_floor" || rounding == "round_prefer_ceil"));
        if (!agrees || out < in || out % in != 0)
            return false;
        for (int64_t i = 0; i < out; ++i)
            source.push_back(static_cast<int>(i / (out / in)));
        return true;
    }

    /// An activation that no convolution took, found at its last node.
    std::optional<Unit> activation(int index) const {
        const Node& node = view_.node(index);
        if (node.outputs.size() != 1)
            return std::nullopt;
        // The operand of the last node, or of the one before it, is what it is applied to.
        std::vector<std::string> sources = node.inputs;
        for (const std::string& input : node.inputs)
            if (const Node* before = view_.producer(input))
                sources.insert(sources.end(), before->inputs.begin(), before->inputs.end());
        for (const std::string& source : sources) {
            if (source.empty() || !isMap(source))
                continue;
            const auto match = onnx::matchActivationOf(view_, source, node.outputs[0]);
            if (match && isSupported(match->act) && keepsInside(*match, node.outputs[0]))
                return Unit{Activate{match->act}, match->nodes, {source}, node.outputs};
        }
        return std::nullopt;
    }

    static std::array<int, 2> pair(const Node& node, const char* name) {
        const auto values = node.intsAttr(name, {1, 1});
        return {static_cast<int>(values.at(0)), static_cast<int>(values.at(1))};
    }

    static std::array<int, 4> pads(const Node& node) {
        const auto values = node.intsAttr("pads", {0, 0, 0, 0});
        return {static_cast<int>(values.at(0)), static_cast<int>(values.at(1)),
                static_cast<int>(values.at(2)), static_cast<int>(values.at(3))};
    }

    const GraphView& view_;
    int64_t batch_;
    std::vector<bool> taken_;
    std::vector<Unit> units_;
};

} // namespace

std::vector<Unit> findUnits(const GraphView& view) {
    return UnitFinder(view).run();
}

} // namespace irmb::accelerate
