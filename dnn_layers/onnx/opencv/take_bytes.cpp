#include "take_bytes.hpp"

#include "layer/pixel_layer.hpp"
#include "onnx/irmb/custom_node.hpp"

#include <algorithm>

namespace irmb::onnx {

bool takeBytes(OnnxModel& model) {
    Graph& graph = model.graph;
    if (graph.inputs.size() != 1)
        return false;
    ValueInfo& input = graph.inputs[0];
    if (!input.has_shape || input.type != DataType::Float || input.shape.size() != 4 ||
        input.shape[1] != 3)
        return false;
    Node node;
    node.op = pixel_op;
    node.domain = irmb_domain;
    node.name = input.name + "/" + pixel_op;
    node.inputs = {input.name};
    node.outputs = {input.name + "/planes"};
    for (Node& reader : graph.nodes)
        std::replace(reader.inputs.begin(), reader.inputs.end(), input.name, node.outputs[0]);
    graph.nodes.insert(graph.nodes.begin(), node);
    input.type = DataType::Uint8;
    input.shape = {input.shape[0], input.shape[2], input.shape[3], 3};
    model.opsets[irmb_domain] = 1;
    return true;
}

} // namespace irmb::onnx
