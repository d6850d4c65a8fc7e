#include "arity.hpp"
#include "onnx/fault.hpp"
#include "onnx/text.hpp"
#include "raw_model.hpp"

#include <opencv2/core.hpp>

#include <algorithm>
#include <unordered_set>

namespace irmb::onnx {
namespace {

constexpr int64_t kOldestOpset = 11;
constexpr int64_t kNewestOpset = 20;

std::string label(const Node& node) {
    const std::string op = node.domain.empty() ? node.op : node.domain + "::" + node.op;
    return "node " + quoted(node.name) + " (" + printable(op) + ")";
}

void checkOpsets(const OnnxModel& model) {
    const int64_t opset = model.opset();
    if (opset < kOldestOpset || opset > kNewestOpset)
        CV_Error(cv::Error::StsNotImplemented,
                 (model.opsets.count("") != 0 ? "opset " + std::to_string(opset)
                                              : std::string("an unknown opset")) +
                     " is not supported (only 11 to 20): export the model with opset 17");
    const auto ours = model.opsets.find("irmb");
    if (ours != model.opsets.end() && ours->second != 1)
        CV_Error(cv::Error::StsNotImplemented, "version " + std::to_string(ours->second) +
                                                   " of the operator domain 'irmb' is not known "
                                                   "(only 1): a newer Vigil wrote this file; "
                                                   "use that one");
}

bool isNarrowOrWide(DataType type) {
    return type == DataType::Float16 || type == DataType::Bfloat16 || type == DataType::Double;
}

Tensor asFloat32(Tensor tensor) {
    if (!isNarrowOrWide(tensor.type))
        return tensor;
    return Tensor::fromFloats(tensor.shape, tensor.floats());
}

/// The graph computes in float32 throughout, whatever the weights were stored as.
void useFloat32(Node& node) {
    for (auto& [name, value] : node.attributes)
        if (Tensor* tensor = std::get_if<Tensor>(&value))
            *tensor = asFloat32(std::move(*tensor));
    const char* key = node.is("Cast") ? "to" : "dtype";
    const auto it = node.attributes.find(key);
    if (it == node.attributes.end())
        return;
    int64_t* type = std::get_if<int64_t>(&it->second);
    if (type != nullptr && isNarrowOrWide(static_cast<DataType>(*type)))
        *type = static_cast<int64_t>(DataType::Float);
}

/// The value of a Constant node.
Tensor constantValue(const Node& node) {
    if (node.attributes.size() != 1)
        refuseFile(label(node) + " needs exactly one attribute");
    const auto& [name, value] = *node.attributes.begin();
    const auto count = [](const auto& list) { return Shape{static_cast<int64_t>(list.size())}; };
    if (const auto* tensor = std::get_if<Tensor>(&value); tensor != nullptr && name == "value")
        return *tensor;
    if (const auto* real = std::get_if<float>(&value); real != nullptr && name == "value_float")
        return Tensor::scalar(*real);
    if (const auto* integer = std::get_if<int64_t>(&value);
        integer != nullptr && name == "value_int")
        return Tensor::fromInts({}, {*integer});
    if (const auto* reals = std::get_if<std::vector<float>>(&value);
        reals != nullptr && name == "value_floats")
        return Tensor::fromFloats(count(*reals), *reals);
    if (const auto* integers = std::get_if<std::vector<int64_t>>(&value);
        integers != nullptr && name == "value_ints")
        return Tensor::fromInts(count(*integers), *integers);
    refuseFile(label(node) + " has an attribute " + quoted(name) + ", which is not supported");
}

void addInitializer(Graph& graph, const std::string& name, Tensor tensor) {
    if (name.empty())
        refuseFile("an initializer has no name");
    if (!graph.initializers.emplace(name, asFloat32(std::move(tensor))).second)
        refuseFile("tensor " + quoted(name) + " is defined twice");
}

/// Old files list initializers among the inputs as well.
void settleInputs(Graph& graph) {
    std::vector<ValueInfo> inputs;
    std::unordered_set<std::string> seen;
    for (ValueInfo& input : graph.inputs) {
        if (!seen.insert(input.name).second)
            refuseFile("input " + quoted(input.name) + " occurs twice");
        if (isNarrowOrWide(input.type))
            input.type = DataType::Float;
        if (graph.initializers.count(input.name) == 0)
            inputs.push_back(std::move(input));
    }
    graph.inputs = std::move(inputs);
}

void settleOutputs(Graph& graph) {
    std::unordered_set<std::string> seen;
    for (ValueInfo& output : graph.outputs) {
        if (!seen.insert(output.name).second)
            refuseFile("output " + quoted(output.name) + " occurs twice");
        if (isNarrowOrWide(output.type))
            output.type = DataType::Float;
    }
    if (graph.outputs.empty())
        refuseFile("the graph has no outputs");
}

void checkInputs(const Node& node) {
    for (std::size_t i = 0; i < requiredInputs(node); ++i)
        if (!node.hasInput(i))
            refuseFile(label(node) + " lacks its input " + std::to_string(i));
}

/// Moves nodes into the graph; constants become initializers. Returns what cannot be run: the label
/// of each node with an unsupported attribute, by its first output.
std::unordered_map<std::string, std::string> settleNodes(Graph& graph, std::vector<RawNode> nodes) {
    std::unordered_map<std::string, std::string> unsupported;
    for (RawNode& raw : nodes) {
        Node& node = raw.node;
        const auto first = std::find_if(node.outputs.begin(), node.outputs.end(),
                                        [](const std::string& output) { return !output.empty(); });
        if (first == node.outputs.end())
            continue; // nobody can use it
        if (node.name.empty())
            node.name = *first;
        if (node.op.empty())
            refuseFile(label(node) + " has no operator");
        if (node.domain == "irmb" && node.op != "iRMB")
            refuseFile(label(node) + " is not an operator of its domain: only irmb::iRMB is");
        if (!raw.unsupported.empty())
            unsupported[*first] = label(node) + " has an attribute " + quoted(raw.unsupported) +
                                  " of a kind that is not supported (a subgraph?): export the "
                                  "model without control flow";
        else if (!raw.references.empty())
            refuseFile(label(node) + " refers to an attribute of a function outside of one");
        checkInputs(node);
        useFloat32(node);
        if (node.is("Constant") && raw.unsupported.empty())
            addInitializer(graph, *first, constantValue(node));
        else
            graph.nodes.push_back(std::move(node));
    }
    return unsupported;
}

/// Every tensor has exactly one source.
void checkNames(const Graph& graph) {
    std::unordered_set<std::string> known;
    for (const ValueInfo& input : graph.inputs)
        known.insert(input.name);
    for (const auto& [name, tensor] : graph.initializers)
        known.insert(name);
    for (const Node& node : graph.nodes)
        for (const std::string& output : node.outputs)
            if (!output.empty() && !known.insert(output).second)
                refuseFile("tensor " + quoted(output) + " is produced twice, the second time by " +
                           label(node));
    for (const Node& node : graph.nodes)
        for (const std::string& input : node.inputs)
            if (!input.empty() && known.count(input) == 0)
                refuseFile(label(node) + " reads " + quoted(input) +
                           ", which nothing provides: the file is incomplete");
    for (const ValueInfo& output : graph.outputs)
        if (known.count(output.name) == 0)
            refuseFile("nothing produces the output " + quoted(output.name));
}

} // namespace

OnnxModel settle(RawModel raw) {
    OnnxModel model = std::move(raw.model);
    Graph& graph = model.graph;
    checkOpsets(model);
    for (auto& [name, tensor] : raw.initializers)
        addInitializer(graph, name, std::move(tensor));
    settleInputs(graph);
    const auto unsupported = settleNodes(graph, std::move(raw.nodes));
    settleOutputs(graph);
    checkNames(graph);
    sortNodes(graph);
    removeDead(graph);
    for (const Node& node : graph.nodes) {
        for (const std::string& output : node.outputs) {
            const auto it = unsupported.find(output);
            if (it != unsupported.end())
                CV_Error(cv::Error::StsNotImplemented, it->second);
        }
    }
    return model;
}

} // namespace irmb::onnx
