#include "accelerate/fuse_attention.hpp"

#include "accelerate/match_attention.hpp"
#include "cuda/global_attention.hpp"
#include "layer/attention_layer.hpp"
#include "onnx/irmb/custom_node.hpp"

namespace irmb::accelerate {
namespace {

using onnx::GraphView;
using onnx::Node;

bool isTaken(const GraphView& view, const Unit& unit) {
    const auto& attention = std::get<Attention>(unit.operation);
    const onnx::Shape& x = *view.shape(unit.inputs[0]);
    return view.type(unit.inputs[0]) == onnx::DataType::Float &&
           cuda::attentionFits({static_cast<int>(x[0]), attention.heads, attention.dim_key,
                                attention.dim_value, static_cast<int>(x[2] * x[3])});
}

Node attentionNode(const Unit& unit) {
    const auto& attention = std::get<Attention>(unit.operation);
    Node node;
    node.op = attention_op;
    node.domain = onnx::irmb_domain;
    node.name = unit.outputs[0] + "/" + attention_op;
    node.inputs = unit.inputs;
    node.outputs = unit.outputs;
    node.attributes["heads"] = int64_t{attention.heads};
    node.attributes["dim_key"] = int64_t{attention.dim_key};
    node.attributes["dim_value"] = int64_t{attention.dim_value};
    node.attributes["scale"] = attention.scale;
    node.attributes["with_values"] = static_cast<int64_t>(unit.outputs.size() > 1);
    return node;
}

} // namespace

int fuseAttention(onnx::OnnxModel& model, const onnx::Facts& facts) {
    std::vector<int> taken;
    std::vector<Node> added;
    const GraphView view(model, facts);
    for (int i = 0; i < static_cast<int>(model.graph.nodes.size()); ++i) {
        if (!view.node(i).is("Softmax"))
            continue;
        const auto unit = matchGlobalAttention(view, i);
        if (!unit || !isTaken(view, *unit))
            continue;
        taken.insert(taken.end(), unit->nodes.begin(), unit->nodes.end());
        added.push_back(attentionNode(*unit));
    }
    if (added.empty())
        return 0;
    const int count = static_cast<int>(added.size());
    onnx::replaceNodes(model.graph, taken, std::move(added));
    model.opsets[onnx::irmb_domain] = 1;
    return count;
}

} // namespace irmb::accelerate
