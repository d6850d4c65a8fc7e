#include "unmerge_pads.hpp"

#include "onnx/static_shape.hpp"

#include <algorithm>

namespace irmb::onnx {
namespace {

/// A Conv on maps with padding: its map, kernel and attributes.
struct PaddedConv {
    Shape map;
    Shape weight;
    Shape pads;
    int64_t groups = 1;
    int64_t dilation = 1;
};

std::optional<PaddedConv> paddedConv(const Graph& graph, const Facts& facts, const Node& node) {
    const Shape* map = node.is("Conv") ? staticShape(facts, node.inputs[0]) : nullptr;
    if (!map || map->size() != 4 || !node.hasInput(1))
        return std::nullopt;
    const auto weight = graph.initializers.find(node.inputs[1]);
    const Shape pads = node.intsAttr("pads");
    if (weight == graph.initializers.end() || weight->second.shape.size() != 4 ||
        pads.size() != 4 ||
        std::none_of(pads.begin(), pads.end(), [](int64_t pad) { return pad > 0; }))
        return std::nullopt;
    const Shape dilations = node.intsAttr("dilations", {1, 1});
    return PaddedConv{*map, weight->second.shape, pads, node.intAttr("group", 1),
                      *std::max_element(dilations.begin(), dilations.end())};
}

bool isPointwise(const PaddedConv& conv) {
    return conv.weight[2] == 1 && conv.weight[3] == 1;
}

bool isMiscomputedDepthwise(const PaddedConv& conv) {
    const bool depthwise = conv.groups == conv.map[1] && conv.weight[1] == 1;
    return depthwise && conv.weight[2] == 3 && conv.weight[3] == 3 &&
           (conv.dilation > *std::min_element(conv.pads.begin(), conv.pads.end()) ||
            conv.map[2] == 1 || conv.map[3] == 1);
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
    Shape shape = *staticShape(facts, input);
    shape[2] += pads[0] + pads[2];
    shape[3] += pads[1] + pads[3];
    facts[output] = {DataType::Float, shape};
    return {"Pad", "", output, {input, amounts}, {output}, {{"mode", std::string("constant")}}};
}

void unmergePads(OnnxModel& model, Facts& facts, bool (*isWanted)(const PaddedConv&)) {
    std::vector<Node> nodes;
    for (Node& node : model.graph.nodes) {
        const auto conv = paddedConv(model.graph, facts, node);
        if (conv && isWanted(*conv)) {
            const std::string padded = paddedName(node.inputs[0], conv->pads);
            if (facts.count(padded) == 0)
                nodes.push_back(makePad(model, facts, node.inputs[0], padded, conv->pads));
            node.inputs[0] = padded;
            node.attributes["pads"] = Shape{0, 0, 0, 0};
        }
        nodes.push_back(std::move(node));
    }
    model.graph.nodes = std::move(nodes);
}

} // namespace

void unmergePointwisePads(OnnxModel& model, Facts& facts) {
    unmergePads(model, facts, isPointwise);
}

void unmergeDepthwisePads(OnnxModel& model, Facts& facts) {
    unmergePads(model, facts, isMiscomputedDepthwise);
}

} // namespace irmb::onnx
