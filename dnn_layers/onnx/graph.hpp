#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <variant>
#include <vector>

/// An ONNX graph as plain values: what the reader fills, the passes change and the writer emits.
namespace irmb::onnx {

/// Element types; the numbers are ONNX's TensorProto.DataType.
enum class DataType : int32_t {
    Undefined = 0,
    Float = 1,
    Uint8 = 2,
    Int8 = 3,
    Uint16 = 4,
    Int16 = 5,
    Int32 = 6,
    Int64 = 7,
    String = 8,
    Bool = 9,
    Float16 = 10,
    Double = 11,
    Uint32 = 12,
    Uint64 = 13,
    Bfloat16 = 16
};

/// Bytes of one element; 0 for types that have no fixed size.
std::size_t elementSize(DataType type);
const char* typeName(DataType type);

using Shape = std::vector<int64_t>;

/// Number of elements of a static shape (1 for a scalar).
/// Throws cv::Exception on a negative dimension or when the product leaves int64.
int64_t elementCount(const Shape& shape);
/// "1x3x640x640"
std::string toString(const Shape& shape);

/// A constant: little-endian elements in row-major order, data.size() == count * elementSize(type).
struct Tensor {
    DataType type = DataType::Undefined;
    Shape shape;
    std::vector<uint8_t> data;

    int64_t count() const { return elementCount(shape); }
    bool isFloating() const;

    /// Elements converted to the asked type from any numeric element type.
    std::vector<float> floats() const;
    std::vector<double> doubles() const;
    std::vector<int64_t> ints() const;

    static Tensor fromFloats(Shape shape, const std::vector<float>& values);
    static Tensor fromInts(Shape shape, const std::vector<int64_t>& values);
    static Tensor scalar(float value) { return fromFloats({}, {value}); }
};

using Attribute = std::variant<int64_t, float, std::string, Tensor, std::vector<int64_t>,
                               std::vector<float>, std::vector<std::string>>;

struct Node {
    std::string op;     ///< "Conv"
    std::string domain; ///< "" for standard operators ("ai.onnx" is stored as "")
    std::string name;
    std::vector<std::string> inputs;  ///< "" marks an optional input that is left out
    std::vector<std::string> outputs; ///< "" marks an output that nobody wants
    std::map<std::string, Attribute> attributes;

    bool is(const char* standard_op) const { return domain.empty() && op == standard_op; }
    bool hasInput(std::size_t i) const { return i < inputs.size() && !inputs[i].empty(); }
    int64_t intAttr(const std::string& key, int64_t fallback) const;
    float floatAttr(const std::string& key, float fallback) const;
    std::string stringAttr(const std::string& key, const std::string& fallback) const;
    std::vector<int64_t> intsAttr(const std::string& key, std::vector<int64_t> fallback = {}) const;
};

/// A graph input or output. Dimensions: -1 where the file has a symbol or nothing.
struct ValueInfo {
    std::string name;
    DataType type = DataType::Float;
    bool has_shape = false;
    Shape shape;
};

/// Nodes are in topological order and every tensor has one producer (the reader checks both).
/// Subgraphs and local functions do not occur: the reader inlines or refuses them.
struct Graph {
    std::string name;
    std::vector<Node> nodes;
    std::map<std::string, Tensor> initializers;
    std::vector<ValueInfo> inputs; ///< without initializers
    std::vector<ValueInfo> outputs;
};

struct OnnxModel {
    int64_t ir_version = 8;
    std::string producer_name;
    std::string producer_version;
    std::map<std::string, int64_t> opsets; ///< by domain, "" is the standard one
    std::map<std::string, std::string> metadata;
    Graph graph;

    int64_t opset() const;
};

/// What is known of a tensor once the input size is fixed.
struct TensorFact {
    DataType type = DataType::Undefined;
    std::optional<Shape> shape; ///< empty: unknown
};
using Facts = std::unordered_map<std::string, TensorFact>;

/// Who makes and who uses each tensor. Built for one state of the graph: rebuild after a change.
class Links {
public:
    explicit Links(const Graph& graph);
    /// Index of the node that produces `tensor`, or -1 for inputs, initializers and unknown names.
    int producer(const std::string& tensor) const;
    /// Indices of the nodes that read `tensor`, once for each place, in graph order.
    const std::vector<int>& consumers(const std::string& tensor) const;
    bool isOutput(const std::string& tensor) const;

private:
    std::unordered_map<std::string, int> producer_;
    std::unordered_map<std::string, std::vector<int>> consumers_;
    std::unordered_set<std::string> outputs_;
};

/// Drops nodes and initializers that no graph output depends on.
void removeDead(Graph& graph);
/// Restores topological order after nodes were inserted; throws cv::Exception on a cycle.
void sortNodes(Graph& graph);
/// Takes out the nodes with these indices and adds others, in topological order again; drops what
/// no output depends on then.
void replaceNodes(Graph& graph, const std::vector<int>& taken, std::vector<Node> added);

} // namespace irmb::onnx
