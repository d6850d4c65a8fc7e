#pragma once

#include "onnx/graph.hpp"

#include <string>
#include <vector>

namespace irmb::test {

inline onnx::Node makeNode(const std::string& op, std::vector<std::string> inputs,
                           std::vector<std::string> outputs,
                           std::map<std::string, onnx::Attribute> attributes = {}) {
    onnx::Node node;
    node.op = op;
    node.name = outputs.front() + "_node";
    node.inputs = std::move(inputs);
    node.outputs = std::move(outputs);
    node.attributes = std::move(attributes);
    return node;
}

inline onnx::ValueInfo makeValue(const std::string& name, onnx::Shape shape) {
    return {name, onnx::DataType::Float, true, std::move(shape)};
}

/// A float32 constant that holds 0.1, 0.2, ... and repeats after one turn of `period`.
inline onnx::Tensor makeRamp(onnx::Shape shape, int period = 10) {
    std::vector<float> values(static_cast<std::size_t>(onnx::elementCount(shape)));
    for (std::size_t i = 0; i < values.size(); ++i)
        values[i] = 0.1f * static_cast<float>(i % static_cast<std::size_t>(period) + 1);
    return onnx::Tensor::fromFloats(std::move(shape), values);
}

inline onnx::Tensor makeInts(onnx::Shape shape, const std::vector<int64_t>& values) {
    return onnx::Tensor::fromInts(std::move(shape), values);
}

/// A list of integers, one-dimensional, as nodes take axes and sizes.
inline onnx::Tensor makeList(const std::vector<int64_t>& values) {
    return makeInts({static_cast<int64_t>(values.size())}, values);
}

inline onnx::Tensor makeFloats(onnx::Shape shape, const std::vector<float>& values) {
    return onnx::Tensor::fromFloats(std::move(shape), values);
}

inline onnx::Tensor makeBools(onnx::Shape shape, std::vector<uint8_t> values) {
    onnx::Tensor tensor;
    tensor.type = onnx::DataType::Bool;
    tensor.shape = std::move(shape);
    tensor.data = std::move(values);
    return tensor;
}

/// A model without anything.
inline onnx::OnnxModel makeEmptyModel(int64_t opset) {
    onnx::OnnxModel model;
    model.opsets[""] = opset;
    return model;
}

/// A model of opset 13 with one input and one output and no nodes yet.
inline onnx::OnnxModel makeModel(onnx::ValueInfo input, onnx::ValueInfo output) {
    onnx::OnnxModel model;
    model.opsets[""] = 13;
    model.graph.name = "test";
    model.graph.inputs = {std::move(input)};
    model.graph.outputs = {std::move(output)};
    return model;
}

/// Conv and Relu on a 1x3x6x6 image, and a Reshape: small, but with every part that a file has.
inline onnx::OnnxModel makeSmallModel() {
    onnx::OnnxModel model = makeModel(makeValue("image", {1, 3, 6, 6}), makeValue("out", {1, 72}));
    model.producer_name = "maker";
    model.producer_version = "1.2";
    model.metadata = {{"names", "{0: 'person', 1: 'car'}"}, {"stride", "8"}};
    onnx::Graph& graph = model.graph;
    graph.initializers["weight"] = makeRamp({2, 3, 3, 3});
    graph.initializers["bias"] = makeRamp({2});
    graph.initializers["shape"] = onnx::Tensor::fromInts({2}, {1, 72});
    graph.nodes = {makeNode("Conv", {"image", "weight", "bias"}, {"map"},
                            {{"kernel_shape", std::vector<int64_t>{3, 3}},
                             {"pads", std::vector<int64_t>{1, 1, 1, 1}}}),
                   makeNode("Relu", {"map"}, {"positive"}),
                   makeNode("Reshape", {"positive", "shape"}, {"out"})};
    return model;
}

} // namespace irmb::test
