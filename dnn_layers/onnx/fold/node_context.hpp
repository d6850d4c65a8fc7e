#pragma once

#include "onnx/graph.hpp"

namespace irmb::onnx {

/// Constants by tensor name; the tensors live in the graph.
using Constants = std::unordered_map<std::string, const Tensor*>;

/// A list of integers that a node may be given.
struct IntList {
    bool given = false;
    std::optional<std::vector<int64_t>> values; ///< empty although given: known at run time only
};

/// Dimensions and attributes that take part in shape arithmetic stay within +-this value, so that a
/// product of two of them fits an int64.
constexpr int64_t kMaxExtent = (int64_t(1) << 31) - 1;

/// No tensor has more dimensions.
constexpr std::size_t kMaxRank = 32;

/// One node together with what is known about its inputs: what shape rules and evaluation work on.
class NodeContext {
public:
    NodeContext(const Node& node_, int64_t opset_, const Facts& facts, const Constants& constants);

    const Node& node;
    const int64_t opset;

    std::size_t inputCount() const { return node.inputs.size(); }
    DataType type(std::size_t input) const;
    /// nullptr: unknown or left out.
    const Shape* shape(std::size_t input) const;
    /// nullptr: not a constant, or left out.
    const Tensor* constant(std::size_t input) const;
    /// True when every given input is a constant.
    bool allConstant() const;

    /// The short list of integers in a constant input.
    IntList ints(std::size_t input) const;
    /// A list that older opsets keep in an attribute and newer ones in an input.
    IntList ints(std::size_t input, const char* attribute) const;
    /// The single integer in a constant input.
    std::optional<int64_t> scalarInt(std::size_t input) const;
    /// Attributes for shape arithmetic; they fail beyond kMaxExtent.
    std::vector<int64_t> extents(const char* attribute, std::size_t count, int64_t fallback) const;
    int64_t extent(const char* attribute, int64_t fallback) const;

    /// `axis` counted from the front; fails unless -rank <= axis < rank.
    int64_t axis(int64_t axis, std::size_t rank) const;
    /// The same for a list; fails on repetition.
    std::vector<int64_t> axes(std::vector<int64_t> list, std::size_t rank) const;

    /// Throws cv::Exception: "node 'name' (Conv): what".
    [[noreturn]] void fail(const std::string& what) const;

private:
    const Facts& facts_;
    const Constants& constants_;
};

/// "node 'name' (Conv)"; nodes without a name go by their first output.
std::string describe(const Node& node);

} // namespace irmb::onnx
