#include "head_rows.hpp"

#include "onnx/axis_range.hpp"

#include <algorithm>
#include <numeric>
#include <optional>

namespace irmb::onnx {
namespace {

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

std::optional<Rows> throughRange(const GraphView& view, const Node& node, Rows rows) {
    const auto axis = static_cast<std::size_t>(rowAxis(rows));
    const auto begin = rangeBegin(view, node, rows.tensor, axis);
    if (!begin)
        return {};
    rows.begin += *begin;
    rows.tensor = node.inputs[0];
    rows.total = (*view.shape(rows.tensor))[axis];
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
    if (node->is("Split") || node->is("Slice"))
        return throughRange(view, *node, rows);
    if (node->is("Concat"))
        return throughConcat(view, *node, rows);
    return {};
}

} // namespace

std::vector<Rows> traceRows(const GraphView& view, const Rows& rows) {
    std::vector<Rows> chain = {rows};
    while (const auto before = stepBack(view, chain.back()))
        chain.push_back(*before);
    return chain;
}

} // namespace irmb::onnx
