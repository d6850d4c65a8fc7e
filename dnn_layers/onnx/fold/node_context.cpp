#include "node_context.hpp"

#include "onnx/text.hpp"

#include <opencv2/core.hpp>

#include <algorithm>

namespace irmb::onnx {

namespace {
// Axes, pads, shapes and split sizes: longer lists are no such thing.
constexpr int64_t kMaxListLength = 1 << 16;

// Characters of one complaint; lists in a file may be long.
constexpr std::size_t kMaxMessage = 400;
} // namespace

std::string describe(const Node& node) {
    const bool nameless = node.name.empty() && !node.outputs.empty();
    const std::string op = node.domain.empty() ? node.op : node.domain + "::" + node.op;
    return "node " + quoted(nameless ? node.outputs.front() : node.name) + " (" + printable(op) +
           ")";
}

NodeContext::NodeContext(const Node& node_, int64_t opset_, const Facts& facts,
                         const Constants& constants)
    : node(node_), opset(opset_), facts_(facts), constants_(constants) {}

DataType NodeContext::type(std::size_t input) const {
    if (!node.hasInput(input))
        return DataType::Undefined;
    const auto it = facts_.find(node.inputs[input]);
    return it == facts_.end() ? DataType::Undefined : it->second.type;
}

const Shape* NodeContext::shape(std::size_t input) const {
    if (!node.hasInput(input))
        return nullptr;
    const auto it = facts_.find(node.inputs[input]);
    return it == facts_.end() || !it->second.shape ? nullptr : &*it->second.shape;
}

const Tensor* NodeContext::constant(std::size_t input) const {
    if (!node.hasInput(input))
        return nullptr;
    const auto it = constants_.find(node.inputs[input]);
    return it == constants_.end() ? nullptr : it->second;
}

bool NodeContext::allConstant() const {
    for (std::size_t i = 0; i < inputCount(); ++i)
        if (node.hasInput(i) && !constant(i))
            return false;
    return true;
}

IntList NodeContext::ints(std::size_t input) const {
    IntList list;
    list.given = node.hasInput(input);
    if (const Tensor* tensor = constant(input)) {
        if (tensor->count() > kMaxListLength)
            fail("input " + std::to_string(input) + " is a list of " +
                 std::to_string(tensor->count()) + " integers, which is too long");
        list.values = tensor->ints();
    }
    return list;
}

IntList NodeContext::ints(std::size_t input, const char* attribute) const {
    IntList list = ints(input);
    if (!list.given && node.attributes.count(attribute)) {
        list.given = true;
        list.values = node.intsAttr(attribute);
    }
    return list;
}

std::optional<int64_t> NodeContext::scalarInt(std::size_t input) const {
    const Tensor* tensor = constant(input);
    if (!tensor)
        return std::nullopt;
    if (tensor->count() != 1)
        fail("input " + std::to_string(input) + " must hold one number, not a tensor of " +
             toString(tensor->shape));
    return tensor->ints().front();
}

std::vector<int64_t> NodeContext::extents(const char* attribute, std::size_t count,
                                          int64_t fallback) const {
    std::vector<int64_t> values = node.intsAttr(attribute);
    if (values.empty())
        values.assign(count, fallback);
    if (values.size() != count)
        fail(std::string(attribute) + " has " + std::to_string(values.size()) + " entries, not " +
             std::to_string(count));
    for (const int64_t value : values)
        if (value < -kMaxExtent || value > kMaxExtent)
            fail(std::string(attribute) + " = " + std::to_string(value) + " is out of range");
    return values;
}

int64_t NodeContext::extent(const char* attribute, int64_t fallback) const {
    const int64_t value = node.intAttr(attribute, fallback);
    if (value < -kMaxExtent || value > kMaxExtent)
        fail(std::string(attribute) + " = " + std::to_string(value) + " is out of range");
    return value;
}

int64_t NodeContext::axis(int64_t axis, std::size_t rank) const {
    const int64_t size = static_cast<int64_t>(rank);
    if (axis < -size || axis >= size)
        fail("axis " + std::to_string(axis) + " does not exist in a tensor of rank " +
             std::to_string(rank));
    return axis < 0 ? axis + size : axis;
}

std::vector<int64_t> NodeContext::axes(std::vector<int64_t> list, std::size_t rank) const {
    for (int64_t& value : list)
        value = axis(value, rank);
    std::vector<int64_t> sorted = list;
    std::sort(sorted.begin(), sorted.end());
    const auto twin = std::adjacent_find(sorted.begin(), sorted.end());
    if (twin != sorted.end())
        fail("axis " + std::to_string(*twin) + " is given twice");
    return list;
}

void NodeContext::fail(const std::string& what) const {
    CV_Error(cv::Error::StsUnmatchedSizes, describe(node) + ": " + printable(what, kMaxMessage));
}

} // namespace irmb::onnx
