#include "head_rows.hpp"

#include <algorithm>
#include <numeric>
#include <optional>

namespace irmb::onnx {
namespace {

std::optional<std::vector<int64_t>> constantInts(const GraphView& view, const Node& node,
                                                 std::size_t input) {
    if (!node.hasInput(input))
        return {};
    const Tensor* tensor = view.constant(node.inputs[input]);
    return tensor != nullptr ? std::optional(tensor->ints()) : std::nullopt;
}

int64_t rowAxis(const Rows& rows) {
    return rows.anchor_major ? 2 : 1;
}

std::optional<Rows> throughTranspose(const Node& node, Rows rows) {
    if (node.intsAttr("perm") != std::vector<int64_t>{0, 2, 1})
        return {};
    rows.tensor = node.inputs[0];
    rows.anchor_major = !rows.anchor_major;
    return rows;
}

std::optional<Rows> throughSplit(const GraphView& view, const Node& node, Rows rows) {
    if (axisOf(view, node, 0) != rowAxis(rows))
        return {};
    const auto axis = static_cast<std::size_t>(rowAxis(rows));
    for (const std::string& output : node.outputs) {
        if (output == rows.tensor)
            break;
        const Shape* part = view.shape(output);
        if (part == nullptr)
            return {};
        rows.begin += (*part)[axis];
    }
    rows.tensor = node.inputs[0];
    rows.total = (*view.shape(rows.tensor))[axis];
    return rows;
}

std::optional<Rows> throughSlice(const GraphView& view, const Node& node, Rows rows) {
    const Shape& source = *view.shape(node.inputs[0]);
    const Shape& target = *view.shape(rows.tensor);
    const auto axis = static_cast<std::size_t>(rowAxis(rows));
    const auto starts = constantInts(view, node, 1);
    const auto axes = constantInts(view, node, 3);
    const auto steps = constantInts(view, node, 4);
    const bool forward =
        !steps || std::all_of(steps->begin(), steps->end(), [](int64_t s) { return s == 1; });
    if (!starts || !axes || axes->size() != starts->size() || !forward)
        return {};
    for (std::size_t i = 0; i < source.size(); ++i)
        if (i != axis && source[i] != target[i])
            return {};
    for (std::size_t i = 0; i < axes->size(); ++i) {
        const int64_t along = (*axes)[i] < 0 ? (*axes)[i] + 3 : (*axes)[i];
        const int64_t start = (*starts)[i] < 0 ? (*starts)[i] + source[axis] : (*starts)[i];
        if (along == static_cast<int64_t>(axis))
            rows.begin += std::clamp<int64_t>(start, 0, source[axis]);
    }
    rows.tensor = node.inputs[0];
    rows.total = source[axis];
    return rows;
}

std::optional<Rows> throughConcat(const GraphView& view, const Node& node, Rows rows) {
    if (axisOf(view, node, 0) != rowAxis(rows))
        return {};
    const auto axis = static_cast<std::size_t>(rowAxis(rows));
    int64_t offset = 0;
    for (const std::string& input : node.inputs) {
        const Shape* part = view.shape(input);
        if (part == nullptr)
            return {};
        const int64_t size = (*part)[axis];
        if (rows.begin >= offset && rows.begin + rows.count <= offset + size) {
            rows.tensor = input;
            rows.begin -= offset;
            rows.total = size;
            return rows;
        }
        offset += size;
    }
    return {};
}

std::optional<Rows> stepBack(const GraphView& view, const Rows& rows) {
    const Node* node = view.producer(rows.tensor);
    if (node == nullptr || !node->hasInput(0))
        return {};
    const Shape* source = view.shape(node->inputs[0]);
    if (source == nullptr || source->size() != 3)
        return {};
    if (node->is("Transpose"))
        return throughTranspose(*node, rows);
    if (node->is("Split"))
        return throughSplit(view, *node, rows);
    if (node->is("Slice"))
        return throughSlice(view, *node, rows);
    if (node->is("Concat"))
        return throughConcat(view, *node, rows);
    return {};
}

} // namespace

int64_t axisOf(const GraphView& view, const Node& node, int64_t fallback) {
    const int64_t axis = node.intAttr("axis", fallback);
    if (axis >= 0)
        return axis;
    const Shape* source = node.hasInput(0) ? view.shape(node.inputs[0]) : nullptr;
    return source != nullptr ? axis + static_cast<int64_t>(source->size()) : -1;
}

std::vector<Rows> traceRows(const GraphView& view, const Rows& rows) {
    std::vector<Rows> chain = {rows};
    while (const auto before = stepBack(view, chain.back()))
        chain.push_back(*before);
    return chain;
}

} // namespace irmb::onnx
