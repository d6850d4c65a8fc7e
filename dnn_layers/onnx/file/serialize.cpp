#include "files.hpp"
#include "io.hpp"
#include "onnx/text.hpp"
#include "proto.hpp"

#include <opencv2/core.hpp>
#include <protozero/pbf_writer.hpp>

#include <algorithm>
#include <set>

namespace irmb::onnx {
namespace {

using proto::attribute::Kind;
using protozero::pbf_writer;

// Initializers are not repeated among the inputs, which files before IR version 4 must do; beyond
// version 10 there is nothing that Vigil writes.
constexpr int64_t kOldestIr = 4;
constexpr int64_t kNewestIr = 10;

void writeTensor(pbf_writer& writer, const std::string& name, const Tensor& tensor) {
    for (const int64_t dim : tensor.shape)
        writer.add_int64(proto::tensor::Dims, dim);
    writer.add_int32(proto::tensor::Type, static_cast<int32_t>(tensor.type));
    if (!name.empty())
        writer.add_string(proto::tensor::Name, name);
    writer.add_bytes(proto::tensor::Raw, reinterpret_cast<const char*>(tensor.data.data()),
                     tensor.data.size());
}

/// Writes the value of an attribute; returns its kind.
struct ValueWriter {
    pbf_writer& writer;

    Kind operator()(int64_t value) const {
        writer.add_int64(proto::attribute::Int, value);
        return Kind::Int;
    }
    Kind operator()(float value) const {
        writer.add_float(proto::attribute::Float, value);
        return Kind::Float;
    }
    Kind operator()(const std::string& value) const {
        writer.add_bytes(proto::attribute::String, value);
        return Kind::String;
    }
    Kind operator()(const Tensor& value) const {
        pbf_writer tensor(writer, proto::attribute::Tensor);
        writeTensor(tensor, "", value);
        return Kind::Tensor;
    }
    Kind operator()(const std::vector<int64_t>& values) const {
        for (const int64_t value : values)
            writer.add_int64(proto::attribute::Ints, value);
        return Kind::Ints;
    }
    Kind operator()(const std::vector<float>& values) const {
        for (const float value : values)
            writer.add_float(proto::attribute::Floats, value);
        return Kind::Floats;
    }
    Kind operator()(const std::vector<std::string>& values) const {
        for (const std::string& value : values)
            writer.add_bytes(proto::attribute::Strings, value);
        return Kind::Strings;
    }
};

void writeNode(pbf_writer& writer, const Node& node) {
    for (const std::string& input : node.inputs)
        writer.add_string(proto::node::Input, input);
    for (const std::string& output : node.outputs)
        writer.add_string(proto::node::Output, output);
    writer.add_string(proto::node::Name, node.name);
    writer.add_string(proto::node::OpType, node.op);
    for (const auto& [name, value] : node.attributes) {
        pbf_writer attribute(writer, proto::node::Attribute);
        attribute.add_string(proto::attribute::Name, name);
        const Kind kind = std::visit(ValueWriter{attribute}, value);
        attribute.add_int64(proto::attribute::Type, static_cast<int64_t>(kind));
    }
    if (!node.domain.empty())
        writer.add_string(proto::node::Domain, node.domain);
}

void writeValueInfo(pbf_writer& writer, const ValueInfo& info) {
    writer.add_string(proto::value_info::Name, info.name);
    pbf_writer type(writer, proto::value_info::Type);
    pbf_writer tensor(type, proto::type::Tensor);
    tensor.add_int32(proto::tensor_type::ElementType, static_cast<int32_t>(info.type));
    if (!info.has_shape)
        return;
    pbf_writer shape(tensor, proto::tensor_type::Shape);
    for (const int64_t dim : info.shape) {
        std::string dimension; // stays empty for an open one
        if (dim >= 0)
            pbf_writer(dimension).add_int64(proto::dimension::Value, dim);
        shape.add_message(proto::shape::Dim, dimension);
    }
}

void writeGraph(pbf_writer& writer, const Graph& graph) {
    const Links links(graph);
    for (const Node& node : graph.nodes) {
        pbf_writer child(writer, proto::graph::Node);
        writeNode(child, node);
    }
    writer.add_string(proto::graph::Name, graph.name.empty() ? "graph" : graph.name);
    for (const auto& [name, tensor] : graph.initializers) {
        if (links.consumers(name).empty() && !links.isOutput(name))
            continue;
        pbf_writer child(writer, proto::graph::Initializer);
        writeTensor(child, name, tensor);
    }
    for (const ValueInfo& input : graph.inputs) {
        pbf_writer child(writer, proto::graph::Input);
        writeValueInfo(child, input);
    }
    for (const ValueInfo& output : graph.outputs) {
        pbf_writer child(writer, proto::graph::Output);
        writeValueInfo(child, output);
    }
}

void writeOpset(pbf_writer& writer, const std::string& domain, int64_t version) {
    pbf_writer opset(writer, proto::model::OpsetImport);
    opset.add_string(proto::opset_id::Domain, domain);
    opset.add_int64(proto::opset_id::Version, version);
}

void writeOpsets(pbf_writer& writer, const OnnxModel& model) {
    std::set<std::string> domains = {""};
    for (const Node& node : model.graph.nodes)
        domains.insert(node.domain);
    for (const std::string& domain : domains) {
        const auto it = model.opsets.find(domain);
        writeOpset(writer, domain, it != model.opsets.end() ? it->second : 1);
    }
}

void checkSize(const Graph& graph) {
    uint64_t bytes = 0;
    for (const auto& [name, tensor] : graph.initializers)
        bytes += tensor.data.size();
    if (bytes > kMaxModelBytes)
        CV_Error(cv::Error::StsOutOfRange, "the weights of graph " + quoted(graph.name) +
                                               " are larger than 2 GiB: they do not fit in a file");
}

} // namespace

std::vector<uint8_t> serialize(const OnnxModel& model) {
    checkSize(model.graph);
    std::string bytes;
    pbf_writer writer(bytes);
    writer.add_int64(proto::model::IrVersion, std::clamp(model.ir_version, kOldestIr, kNewestIr));
    if (!model.producer_name.empty())
        writer.add_string(proto::model::ProducerName, model.producer_name);
    if (!model.producer_version.empty())
        writer.add_string(proto::model::ProducerVersion, model.producer_version);
    {
        pbf_writer graph(writer, proto::model::Graph);
        writeGraph(graph, model.graph);
    }
    writeOpsets(writer, model);
    for (const auto& [key, value] : model.metadata) {
        pbf_writer entry(writer, proto::model::Metadata);
        entry.add_bytes(proto::string_entry::Key, key);
        entry.add_bytes(proto::string_entry::Value, value);
    }
    return {bytes.begin(), bytes.end()};
}

void save(const OnnxModel& model, const std::string& path) {
    writeFile(path, serialize(model));
}

} // namespace irmb::onnx
