#include "custom_node.hpp"

#include "layer/node_attributes.hpp"
#include "onnx/fault.hpp"

#include <opencv2/core.hpp>

#include <cstring>

namespace irmb::onnx {
namespace {

Tensor toTensor(const cv::Mat& mat, const std::vector<int>& logical_shape) {
    Shape shape(logical_shape.begin(), logical_shape.end());
    if (elementCount(shape) != static_cast<int64_t>(mat.total())) // one slope for all channels
        shape = {static_cast<int64_t>(mat.total())};
    const cv::Mat whole = mat.isContinuous() ? mat : mat.clone();
    const float* values = whole.ptr<float>();
    return Tensor::fromFloats(shape, std::vector<float>(values, values + whole.total()));
}

cv::Mat toMat(const Tensor& tensor) {
    const std::vector<int> shape(tensor.shape.begin(), tensor.shape.end());
    cv::Mat mat(shape, CV_32F);
    const std::vector<float> values = tensor.floats();
    std::memcpy(mat.data, values.data(), values.size() * sizeof(float));
    return mat;
}

/// The attributes by type. Types that the node does not have are refused by name.
NodeAttributes attributesOf(const Node& node) {
    NodeAttributes attributes;
    for (const auto& [key, value] : node.attributes) {
        if (const auto* number = std::get_if<int64_t>(&value))
            attributes.ints[key] = *number;
        else if (const auto* real = std::get_if<float>(&value))
            attributes.floats[key] = *real;
        else if (const auto* text = std::get_if<std::string>(&value))
            attributes.strings[key] = *text;
        else
            refuseFile("iRMB '" + node.name + "': the attribute '" + key +
                       "' has a type that the node does not know");
    }
    return attributes;
}

} // namespace

bool isIrmb(const Node& node) {
    return node.domain == irmb_domain && node.op == irmb_op;
}

Node makeIrmb(OnnxModel& model, Facts& facts, const std::string& input, const std::string& output,
              const IrmbParams& params, const IrmbWeights& weights) {
    Node node;
    node.op = irmb_op;
    node.domain = irmb_domain;
    node.name = output + "/iRMB";
    node.inputs = {input};
    node.outputs = {output};
    const NodeAttributes attributes = toAttributes(params);
    node.attributes.insert(attributes.ints.begin(), attributes.ints.end());
    node.attributes.insert(attributes.floats.begin(), attributes.floats.end());
    node.attributes.insert(attributes.strings.begin(), attributes.strings.end());
    for (const WeightSlot& slot : weightSlots(params)) {
        const std::string name = node.name + "/" + slot.name;
        Tensor tensor = toTensor(weights.*slot.member, slot.shape);
        facts[name] = {tensor.type, tensor.shape};
        model.graph.initializers[name] = std::move(tensor);
        node.inputs.push_back(name);
    }
    model.opsets[irmb_domain] = 1;
    return node;
}

std::pair<IrmbParams, IrmbWeights> readIrmb(const Graph& graph, const Node& node, int channels) {
    const std::string name =
        node.name.empty() && !node.outputs.empty() ? node.outputs[0] : node.name;
    const IrmbParams params = fromAttributes(attributesOf(node), channels, name);
    const std::vector<WeightSlot> slots = weightSlots(params);
    if (node.inputs.size() != slots.size() + 1)
        refuseFile("iRMB '" + name + "': its attributes call for " + std::to_string(slots.size()) +
                   " weights, it has " + std::to_string(node.inputs.size() - 1));
    IrmbWeights weights;
    for (std::size_t i = 0; i < slots.size(); ++i) {
        const auto found = graph.initializers.find(node.inputs[i + 1]);
        if (found == graph.initializers.end())
            refuseFile("iRMB '" + name + "': the weight " + slots[i].name +
                       " is not an initializer of the graph");
        weights.*slots[i].member = toMat(found->second);
    }
    checkWeights(params, weights, name);
    return {params, weights};
}

} // namespace irmb::onnx
