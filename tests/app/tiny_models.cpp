#include "tiny_models.hpp"

#include "npy_files.hpp"
#include "onnx/file/io.hpp"

namespace vigil::test {
namespace {

using irmb::onnx::Node;
using irmb::onnx::OnnxModel;
using irmb::onnx::Shape;
using irmb::onnx::Tensor;

Node node(const std::string& op, std::vector<std::string> inputs, const std::string& output) {
    Node result;
    result.op = op;
    result.name = op + "_node";
    result.inputs = std::move(inputs);
    result.outputs = {output};
    return result;
}

OnnxModel model(const Shape& input, const Shape& output) {
    OnnxModel result;
    result.producer_name = "vigil test";
    result.opsets[""] = 13;
    result.graph.name = "tiny";
    result.graph.inputs = {{"images", irmb::onnx::DataType::Float, true, input}};
    result.graph.outputs = {{"output", irmb::onnx::DataType::Float, true, output}};
    return result;
}

std::string write(const OnnxModel& onnx_model) {
    const std::string path = temporaryPath(".onnx");
    irmb::onnx::save(onnx_model, path);
    return path;
}

} // namespace

std::string writeDoublingModel(const std::vector<long>& input_shape) {
    const Shape shape(input_shape.begin(), input_shape.end());
    OnnxModel doubling = model(shape, shape);
    doubling.graph.initializers["two"] = Tensor::fromFloats({1}, {2.f});
    doubling.graph.nodes = {node("Mul", {"images", "two"}, "output")};
    return write(doubling);
}

std::string writeConstantDetector(const std::vector<float>& rows,
                                  const std::map<std::string, std::string>& more_metadata) {
    const auto size = static_cast<std::int64_t>(rows.size());
    OnnxModel detector = model({1, 3, 8, 8}, {1, size / 6, 6});
    detector.metadata = {{"names", "{0: 'a', 1: 'b', 2: 'c'}"}, {"stride", "8"}};
    detector.metadata.insert(more_metadata.begin(), more_metadata.end());
    auto& graph = detector.graph;
    graph.initializers["weight"] =
        Tensor::fromFloats({3, size}, std::vector<float>(3 * rows.size(), 0.f));
    graph.initializers["rows"] = Tensor::fromFloats({size}, rows);
    graph.initializers["shape"] = Tensor::fromInts({3}, {1, size / 6, 6});
    graph.nodes = {node("GlobalAveragePool", {"images"}, "mean"), node("Flatten", {"mean"}, "flat"),
                   node("Gemm", {"flat", "weight", "rows"}, "list"),
                   node("Reshape", {"list", "shape"}, "output")};
    return write(detector);
}

} // namespace vigil::test
