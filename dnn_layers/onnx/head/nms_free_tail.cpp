#include "nms_free_tail.hpp"

#include "onnx/axis_range.hpp"

#include <algorithm>
#include <functional>
#include <initializer_list>
#include <set>

namespace irmb::onnx {
namespace {

bool isAnyOf(const Node& node, std::initializer_list<const char*> ops) {
    return std::any_of(ops.begin(), ops.end(), [&](const char* op) { return node.is(op); });
}

bool isReshaping(const Node& node) {
    return isAnyOf(node, {"Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Cast"});
}

bool isGathering(const Node& node) {
    return isAnyOf(node, {"Gather", "GatherElements", "GatherND"});
}

/// Goes back through nodes that only reshape.
std::string skipReshaping(const GraphView& view, std::string tensor) {
    while (const Node* node = view.producer(tensor)) {
        if (!isReshaping(*node))
            break;
        tensor = node->inputs[0];
    }
    return tensor;
}

/// Goes back to the tensor whose elements were picked, reshaped and moved to make `tensor`.
std::string skipGathering(const GraphView& view, std::string tensor) {
    for (;;) {
        tensor = skipReshaping(view, tensor);
        const Node* node = view.producer(tensor);
        if (node == nullptr || !isGathering(*node))
            return tensor;
        tensor = node->inputs[0];
    }
}

/// All nodes that `tensor` depends on, up to and without the nodes that make `stops`.
std::set<const Node*> ancestors(const GraphView& view, const std::string& tensor,
                                const std::set<std::string>& stops) {
    std::set<const Node*> found;
    std::vector<std::string> pending = {tensor};
    while (!pending.empty()) {
        const std::string name = pending.back();
        pending.pop_back();
        const Node* node = stops.count(name) == 0 ? view.producer(name) : nullptr;
        if (node != nullptr && found.insert(node).second)
            pending.insert(pending.end(), node->inputs.begin(), node->inputs.end());
    }
    return found;
}

/// `tensor` of rank 3 as the rows of a head, however it lies.
std::optional<Rows> wholeTensor(const GraphView& view, const std::string& tensor,
                                const std::function<bool(const Shape&)>& isAnchorMajor) {
    const Shape* shape = view.shape(tensor);
    if (shape == nullptr || shape->size() != 3)
        return {};
    const bool anchor_major = isAnchorMajor(*shape);
    const int64_t rows = (*shape)[anchor_major ? 2 : 1];
    return Rows{tensor, anchor_major, 0, rows, rows};
}

int64_t anchorsOf(const GraphView& view, const Rows& rows) {
    return (*view.shape(rows.tensor))[rows.anchor_major ? 1 : 2];
}

bool takesModulo(const GraphView& view, const std::set<const Node*>& nodes, int64_t classes) {
    return std::any_of(nodes.begin(), nodes.end(), [&](const Node* node) {
        if (!node->is("Mod"))
            return false;
        const Tensor* divisor = view.constant(node->inputs[1]);
        return divisor != nullptr && divisor->count() > 0 && divisor->ints().front() == classes;
    });
}

/// Between head and output the tail moves numbers and computes indices, nothing else.
bool onlyPicks(const std::set<const Node*>& nodes) {
    return std::all_of(nodes.begin(), nodes.end(), [](const Node* node) {
        return isReshaping(*node) || isGathering(*node) ||
               isAnyOf(*node, {"Transpose", "Split", "Slice", "Concat", "Tile", "Expand", "TopK",
                               "ReduceMax", "Mod",   "Div",   "Floor",  "Add",  "Sub",    "Mul",
                               "Where",     "Less",  "Equal", "And",    "Not",  "Xor"});
    });
}

int countTopK(const std::set<const Node*>& nodes) {
    return static_cast<int>(std::count_if(nodes.begin(), nodes.end(),
                                          [](const Node* node) { return node->is("TopK"); }));
}

/// The TopK whose values `tensor` shows.
const Node* topKOf(const GraphView& view, const std::string& tensor) {
    const std::string values = skipReshaping(view, tensor);
    const Node* node = view.producer(values);
    const bool is_best = node != nullptr && node->is("TopK") && node->outputs[0] == values &&
                         node->intAttr("largest", 1) == 1;
    return is_best ? node : nullptr;
}

} // namespace

std::optional<NmsFreeTail> findNmsFreeTail(const GraphView& view, const std::string& output) {
    const Shape* shape = view.shape(output);
    const Node* join = view.producer(output);
    if (shape == nullptr || shape->size() != 3 || (*shape)[2] != 6 || join == nullptr ||
        !join->is("Concat") || axisOf(view, *join, 0) != 2 || join->inputs.size() != 3)
        return {};
    const Node* best = topKOf(view, join->inputs[1]);
    if (best == nullptr)
        return {};
    const auto boxes = wholeTensor(view, skipGathering(view, join->inputs[0]),
                                   [](const Shape& s) { return s[2] == 4; });
    if (!boxes || boxes->total != 4)
        return {};
    const int64_t anchors = anchorsOf(view, *boxes);
    const auto scores = wholeTensor(view, skipGathering(view, best->inputs[0]),
                                    [anchors](const Shape& s) { return s[1] == anchors; });
    if (!scores || anchorsOf(view, *scores) != anchors)
        return {};

    std::set<std::string> stops;
    for (const Rows& rows : {*boxes, *scores})
        for (const Rows& step : traceRows(view, rows))
            stops.insert(step.tensor);
    const auto nodes = ancestors(view, output, stops);
    const auto class_nodes = ancestors(view, join->inputs[2], stops);
    const bool picks_class = class_nodes.count(best) != 0 &&
                             (scores->total == 1 || takesModulo(view, class_nodes, scores->total));
    if (!picks_class || !onlyPicks(nodes) || countTopK(nodes) > 2)
        return {};
    return NmsFreeTail{*boxes, *scores, (*shape)[1]};
}

} // namespace irmb::onnx
