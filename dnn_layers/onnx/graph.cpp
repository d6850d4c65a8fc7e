#include "graph.hpp"

#include "fault.hpp"

#include <opencv2/core.hpp>

#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <queue>

namespace irmb::onnx {
namespace {

float halfToFloat(uint16_t bits) {
    const float sign = (bits & 0x8000u) != 0 ? -1.f : 1.f;
    const int exponent = (bits >> 10) & 0x1f;
    const int mantissa = bits & 0x3ff;
    if (exponent == 0x1f)
        return mantissa == 0 ? sign * std::numeric_limits<float>::infinity()
                             : std::numeric_limits<float>::quiet_NaN();
    if (exponent == 0)
        return sign * std::ldexp(static_cast<float>(mantissa), -24);
    return sign * std::ldexp(static_cast<float>(mantissa + 0x400), exponent - 25);
}

float bfloatToFloat(uint16_t bits) {
    const uint32_t wide = static_cast<uint32_t>(bits) << 16;
    float value = 0.f;
    std::memcpy(&value, &wide, sizeof(value));
    return value;
}

/// A floating-point number cut to an integer; out of range it saturates, NaN gives 0.
int64_t truncated(double value) {
    constexpr double limit = 9223372036854775808.0; // 2^63
    if (std::isnan(value))
        return 0;
    if (value >= limit)
        return std::numeric_limits<int64_t>::max();
    if (value < -limit)
        return std::numeric_limits<int64_t>::min();
    return static_cast<int64_t>(value);
}

template <typename To, typename From>
To convertElement(From value) {
    if constexpr (std::is_integral_v<To> && std::is_floating_point_v<From>)
        return truncated(value);
    else
        return static_cast<To>(value);
}

template <typename To, typename Stored, typename Read>
std::vector<To> convertAll(const Tensor& tensor, Read read) {
    const std::size_t count = tensor.data.size() / sizeof(Stored);
    std::vector<To> result(count);
    for (std::size_t i = 0; i < count; ++i) {
        Stored stored{};
        std::memcpy(&stored, tensor.data.data() + i * sizeof(Stored), sizeof(Stored));
        result[i] = convertElement<To>(read(stored));
    }
    return result;
}

template <typename To, typename Stored>
std::vector<To> convertAll(const Tensor& tensor) {
    return convertAll<To, Stored>(tensor, [](Stored value) { return value; });
}

template <typename To>
std::vector<To> convert(const Tensor& tensor) {
    switch (tensor.type) {
    case DataType::Float:
        return convertAll<To, float>(tensor);
    case DataType::Double:
        return convertAll<To, double>(tensor);
    case DataType::Float16:
        return convertAll<To, uint16_t>(tensor, halfToFloat);
    case DataType::Bfloat16:
        return convertAll<To, uint16_t>(tensor, bfloatToFloat);
    case DataType::Bool:
        return convertAll<To, uint8_t>(tensor, [](uint8_t value) { return value != 0 ? 1 : 0; });
    case DataType::Uint8:
        return convertAll<To, uint8_t>(tensor);
    case DataType::Int8:
        return convertAll<To, int8_t>(tensor);
    case DataType::Uint16:
        return convertAll<To, uint16_t>(tensor);
    case DataType::Int16:
        return convertAll<To, int16_t>(tensor);
    case DataType::Uint32:
        return convertAll<To, uint32_t>(tensor);
    case DataType::Int32:
        return convertAll<To, int32_t>(tensor);
    case DataType::Uint64:
        return convertAll<To, uint64_t>(tensor);
    case DataType::Int64:
        return convertAll<To, int64_t>(tensor);
    case DataType::Undefined:
    case DataType::String:
        break;
    }
    CV_Error(cv::Error::StsBadArg,
             std::string("a tensor of type ") + typeName(tensor.type) + " has no numbers");
}

template <typename T>
Tensor makeTensor(DataType type, Shape shape, const std::vector<T>& values) {
    const int64_t count = elementCount(shape);
    if (count != static_cast<int64_t>(values.size()))
        CV_Error(cv::Error::StsBadArg, "shape " + toString(shape) + " does not hold " +
                                           std::to_string(values.size()) + " elements");
    Tensor tensor;
    tensor.type = type;
    tensor.shape = std::move(shape);
    tensor.data.resize(values.size() * sizeof(T));
    if (!values.empty())
        std::memcpy(tensor.data.data(), values.data(), tensor.data.size());
    return tensor;
}

template <typename T>
const T* find(const Node& node, const std::string& key) {
    const auto it = node.attributes.find(key);
    if (it == node.attributes.end())
        return nullptr;
    const T* value = std::get_if<T>(&it->second);
    if (value == nullptr)
        refuseFile("node '" + node.name + "' (" + node.op + "): attribute '" + key +
                   "' has an unexpected type");
    return value;
}

} // namespace

std::size_t elementSize(DataType type) {
    switch (type) {
    case DataType::Uint8:
    case DataType::Int8:
    case DataType::Bool:
        return 1;
    case DataType::Uint16:
    case DataType::Int16:
    case DataType::Float16:
    case DataType::Bfloat16:
        return 2;
    case DataType::Float:
    case DataType::Int32:
    case DataType::Uint32:
        return 4;
    case DataType::Int64:
    case DataType::Double:
    case DataType::Uint64:
        return 8;
    case DataType::Undefined:
    case DataType::String:
        break;
    }
    return 0;
}

const char* typeName(DataType type) {
    switch (type) {
    case DataType::Float:
        return "float32";
    case DataType::Uint8:
        return "uint8";
    case DataType::Int8:
        return "int8";
    case DataType::Uint16:
        return "uint16";
    case DataType::Int16:
        return "int16";
    case DataType::Int32:
        return "int32";
    case DataType::Int64:
        return "int64";
    case DataType::String:
        return "string";
    case DataType::Bool:
        return "bool";
    case DataType::Float16:
        return "float16";
    case DataType::Double:
        return "float64";
    case DataType::Uint32:
        return "uint32";
    case DataType::Uint64:
        return "uint64";
    case DataType::Bfloat16:
        return "bfloat16";
    case DataType::Undefined:
        break;
    }
    return "undefined";
}

int64_t elementCount(const Shape& shape) {
    int64_t count = 1;
    bool empty = false;
    for (const int64_t dim : shape) {
        if (dim < 0)
            refuseFile("shape " + toString(shape) + " has a negative side");
        if (dim == 0)
            empty = true;
        else if (count > std::numeric_limits<int64_t>::max() / dim)
            refuseFile("shape " + toString(shape) + " is too large");
        else
            count *= dim;
    }
    return empty ? 0 : count;
}

std::string toString(const Shape& shape) {
    if (shape.empty())
        return "scalar";
    std::string text;
    for (const int64_t dim : shape)
        text += (text.empty() ? "" : "x") + std::to_string(dim);
    return text;
}

bool Tensor::isFloating() const {
    return type == DataType::Float || type == DataType::Double || type == DataType::Float16 ||
           type == DataType::Bfloat16;
}

std::vector<float> Tensor::floats() const {
    return convert<float>(*this);
}
std::vector<double> Tensor::doubles() const {
    return convert<double>(*this);
}
std::vector<int64_t> Tensor::ints() const {
    return convert<int64_t>(*this);
}

Tensor Tensor::fromFloats(Shape shape, const std::vector<float>& values) {
    return makeTensor(DataType::Float, std::move(shape), values);
}

Tensor Tensor::fromInts(Shape shape, const std::vector<int64_t>& values) {
    return makeTensor(DataType::Int64, std::move(shape), values);
}

int64_t Node::intAttr(const std::string& key, int64_t fallback) const {
    const auto* value = find<int64_t>(*this, key);
    return value != nullptr ? *value : fallback;
}

float Node::floatAttr(const std::string& key, float fallback) const {
    const auto* value = find<float>(*this, key);
    return value != nullptr ? *value : fallback;
}

std::string Node::stringAttr(const std::string& key, const std::string& fallback) const {
    const auto* value = find<std::string>(*this, key);
    return value != nullptr ? *value : fallback;
}

std::vector<int64_t> Node::intsAttr(const std::string& key, std::vector<int64_t> fallback) const {
    const auto* value = find<std::vector<int64_t>>(*this, key);
    return value != nullptr ? *value : fallback;
}

int64_t OnnxModel::opset() const {
    const auto it = opsets.find("");
    return it != opsets.end() ? it->second : 0;
}

Links::Links(const Graph& graph) {
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
        const int index = static_cast<int>(i);
        for (const std::string& output : graph.nodes[i].outputs)
            if (!output.empty())
                producer_.emplace(output, index);
        for (const std::string& input : graph.nodes[i].inputs)
            if (!input.empty())
                consumers_[input].push_back(index);
    }
    for (const ValueInfo& output : graph.outputs)
        outputs_.insert(output.name);
}

int Links::producer(const std::string& tensor) const {
    const auto it = producer_.find(tensor);
    return it != producer_.end() ? it->second : -1;
}

const std::vector<int>& Links::consumers(const std::string& tensor) const {
    static const std::vector<int> none;
    const auto it = consumers_.find(tensor);
    return it != consumers_.end() ? it->second : none;
}

bool Links::isOutput(const std::string& tensor) const {
    return outputs_.count(tensor) != 0;
}

void removeDead(Graph& graph) {
    const Links links(graph);
    std::vector<bool> live(graph.nodes.size(), false);
    std::unordered_set<std::string> wanted;
    std::vector<int> pending;
    const auto want = [&](const std::string& tensor) {
        wanted.insert(tensor);
        const int node = links.producer(tensor);
        if (node >= 0 && !live[static_cast<std::size_t>(node)]) {
            live[static_cast<std::size_t>(node)] = true;
            pending.push_back(node);
        }
    };
    for (const ValueInfo& output : graph.outputs)
        want(output.name);
    while (!pending.empty()) {
        const Node& node = graph.nodes[static_cast<std::size_t>(pending.back())];
        pending.pop_back();
        for (const std::string& input : node.inputs)
            want(input);
    }

    std::vector<Node> kept;
    for (std::size_t i = 0; i < graph.nodes.size(); ++i)
        if (live[i])
            kept.push_back(std::move(graph.nodes[i]));
    graph.nodes = std::move(kept);
    for (auto it = graph.initializers.begin(); it != graph.initializers.end();)
        it = wanted.count(it->first) != 0 ? std::next(it) : graph.initializers.erase(it);
}

void sortNodes(Graph& graph) {
    const Links links(graph);
    const std::size_t count = graph.nodes.size();
    std::vector<int> missing(count, 0);
    for (std::size_t i = 0; i < count; ++i)
        for (const std::string& input : graph.nodes[i].inputs)
            missing[i] += links.producer(input) >= 0 ? 1 : 0;

    // The smallest index first keeps the order of the file wherever it is a valid one.
    std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> ready;
    for (std::size_t i = 0; i < count; ++i)
        if (missing[i] == 0)
            ready.push(i);
    std::vector<std::size_t> order;
    while (!ready.empty()) {
        const std::size_t i = ready.top();
        ready.pop();
        order.push_back(i);
        for (const std::string& output : graph.nodes[i].outputs) {
            if (links.producer(output) != static_cast<int>(i))
                continue;
            for (const int user : links.consumers(output))
                if (--missing[static_cast<std::size_t>(user)] == 0)
                    ready.push(static_cast<std::size_t>(user));
        }
    }
    if (order.size() != count) {
        std::size_t i = 0;
        while (missing[i] <= 0)
            ++i;
        refuseFile("the graph has a cycle through node '" + graph.nodes[i].name + "' (" +
                   graph.nodes[i].op + ")");
    }

    std::vector<Node> sorted;
    sorted.reserve(count);
    for (const std::size_t i : order)
        sorted.push_back(std::move(graph.nodes[i]));
    graph.nodes = std::move(sorted);
}

void replaceNodes(Graph& graph, const std::vector<int>& taken, std::vector<Node> added) {
    std::vector<bool> is_taken(graph.nodes.size());
    for (const int node : taken)
        is_taken[static_cast<std::size_t>(node)] = true;
    std::vector<Node> nodes;
    for (std::size_t i = 0; i < is_taken.size(); ++i)
        if (!is_taken[i])
            nodes.push_back(std::move(graph.nodes[i]));
    std::move(added.begin(), added.end(), std::back_inserter(nodes));
    graph.nodes = std::move(nodes);
    sortNodes(graph);
    removeDead(graph);
}

} // namespace irmb::onnx
