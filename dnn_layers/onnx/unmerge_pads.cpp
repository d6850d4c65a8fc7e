#include "unmerge_pads.hpp"

#include <algorithm>

namespace irmb::onnx {
namespace {

const Shape* shapeOf(const Facts& facts, const std::string& tensor) {
    const auto found = facts.find(tensor);
    return found == facts.end() || !found->second.shape ? nullptr : &*found->second.shape;
}

bool isPaddedPointwise(const Graph& graph, const Facts& facts, const Node& node) {
    const Shape* input = node.is("Conv") ? shapeOf(facts, node.inputs[0]) : nullptr;
    if (!input || input->size() != 4 || !node.hasInput(1))
        return false;
    const auto weight = graph.initializers.find(node.inputs[1]);
    const Shape pads = node.intsAttr("pads");
    return weight != graph.initializers.end() && weight->second.shape.size() == 4 &&
           weight->second.shape[2] == 1 && weight->second.shape[3] == 1 && pads.size() == 4 &&
           std::any_of(pads.begin(), pads.end(), [](int64_t pad) { return pad > 0; });
}

/// Name of `input` padded in height and width by `pads` (top, left, bottom, right).
std::string paddedName(const std::string& input, const Shape& pads) {
    return input + "/padded_" + toString(pads);
}

/// Adds the Pad that makes `output`.
Node makePad(OnnxModel& model, Facts& facts, const std::string& input, const std::string& output,
             const Shape& pads) {
    const std::string amounts = output + "/pads";
    model.graph.initializers[amounts] =
        Tensor::fromInts({8}, {0, 0, pads[0], pads[1], 0, 0, pads[2], pads[3]});
    facts[amounts] = {DataType::Int64, Shape{8}};
    Shape shape = *shapeOf(facts, input);
    shape[2] += pads[0] + pads[2];
    shape[3] += pads[1] + pads[3];
    facts[output] = {DataType::Float, shape};
    return {"Pad", "", output, {input, amounts}, {output}, {{"mode", std::string("constant")}}};
}

} // namespace

void unmergePads(OnnxModel& model, Facts& facts) {
    std::vector<Node> nodes;
    for (Node& node : model.graph.nodes) {
        if (isPaddedPointwise(model.graph, facts, node)) {
            const Shape pads = node.intsAttr("pads");
            const std::string padded = paddedName(node.inputs[0], pads);
            if (facts.count(padded) == 0)
                nodes.push_back(makePad(model, facts, node.inputs[0], padded, pads));
            node.inputs[0] = padded;
            node.attributes["pads"] = Shape{0, 0, 0, 0};
        }
        nodes.push_back(std::move(node));
    }
    model.graph.nodes = std::move(nodes);
}

} // namespace irmb::onnx
