#include "rejoin_splits.hpp"

#include "onnx/axis_range.hpp"

#include <algorithm>

namespace irmb::onnx {
namespace {

/// How many inputs of a Concat, from `first` on, are together all of one tensor, in order; 0: none
/// are.
std::size_t partsOfWhole(const GraphView& view, const Node& concat, std::size_t first,
                         std::size_t axis) {
    const auto makerOf = [&](std::size_t i) {
        const Node* maker = view.producer(concat.inputs[i]);
        return maker && maker->hasInput(0) ? maker : nullptr;
    };
    const Node* const maker = makerOf(first);
    const Shape* const whole = maker ? view.shape(maker->inputs[0]) : nullptr;
    if (!whole || axis >= whole->size())
        return 0;
    int64_t end = 0;
    for (std::size_t i = first; i < concat.inputs.size(); ++i) {
        const std::string& part = concat.inputs[i];
        const Node* const from = makerOf(i);
        const Shape* const shape = view.shape(part);
        if (!from || !shape || from->inputs[0] != maker->inputs[0] ||
            rangeBegin(view, *from, part, axis) != end)
            return 0;
        end += (*shape)[axis];
        if (end == (*whole)[axis])
            return i + 1 - first;
    }
    return 0;
}

std::vector<std::string> rejoined(const GraphView& view, const Node& concat) {
    const int64_t axis = axisOf(view, concat, -1);
    if (axis < 0)
        return concat.inputs;
    std::vector<std::string> inputs;
    for (std::size_t i = 0; i < concat.inputs.size();) {
        const std::size_t parts = partsOfWhole(view, concat, i, static_cast<std::size_t>(axis));
        inputs.push_back(parts > 0 ? view.producer(concat.inputs[i])->inputs[0] : concat.inputs[i]);
        i += std::max<std::size_t>(parts, 1);
    }
    return inputs;
}

bool isWanted(const Links& links, const std::string& tensor) {
    return links.isOutput(tensor) || !links.consumers(tensor).empty();
}

/// The wanted parts of a Split, each as a Slice; nothing where all of them are wanted.
std::vector<Node> slices(OnnxModel& model, Facts& facts, const GraphView& view, const Node& split) {
    const int64_t axis = axisOf(view, split, 0);
    const auto is_wanted = [&](const std::string& part) { return isWanted(view.links(), part); };
    if (axis < 0 || std::all_of(split.outputs.begin(), split.outputs.end(), is_wanted))
        return {};
    std::vector<Node> nodes;
    for (const std::string& part : split.outputs) {
        if (!is_wanted(part))
            continue;
        const auto begin = rangeBegin(view, split, part, static_cast<std::size_t>(axis));
        if (!begin)
            return {};
        const int64_t end = *begin + (*view.shape(part))[static_cast<std::size_t>(axis)];
        Node slice{"Slice", "", part, {split.inputs[0]}, {part}, {}};
        for (const auto& [role, value] :
             {std::pair{"starts", *begin}, {"ends", end}, {"axes", axis}}) {
            const std::string name = part + "/" + role;
            model.graph.initializers[name] = Tensor::fromInts({1}, {value});
            facts[name] = {DataType::Int64, Shape{1}};
            slice.inputs.push_back(name);
        }
        nodes.push_back(std::move(slice));
    }
    return nodes;
}

} // namespace

void rejoinSplits(OnnxModel& model, Facts& facts) {
    std::vector<std::pair<Node*, std::vector<std::string>>> changes;
    const GraphView before(model, facts);
    for (Node& node : model.graph.nodes)
        if (node.is("Concat"))
            changes.emplace_back(&node, rejoined(before, node));
    for (auto& [concat, inputs] : changes) {
        concat->inputs = std::move(inputs);
        if (concat->inputs.size() == 1) {
            concat->op = "Identity";
            concat->attributes.clear();
        }
    }

    const GraphView view(model, facts);
    std::vector<Node> nodes;
    for (const Node& node : model.graph.nodes) {
        const std::vector<Node> parts =
            node.is("Split") ? slices(model, facts, view, node) : std::vector<Node>();
        nodes.insert(nodes.end(), parts.begin(), parts.end());
        if (parts.empty())
            nodes.push_back(node);
    }
    model.graph.nodes = std::move(nodes);
}

} // namespace irmb::onnx
