#include "axis_range.hpp"

#include <algorithm>

namespace irmb::onnx {
namespace {

std::optional<std::vector<int64_t>> constantInts(const GraphView& view, const Node& node,
                                                 std::size_t input) {
    if (!node.hasInput(input))
        return {};
    const Tensor* tensor = view.constant(node.inputs[input]);
    return tensor != nullptr ? std::optional(tensor->ints()) : std::nullopt;
}

std::optional<int64_t> splitBegin(const GraphView& view, const Node& node,
                                  const std::string& wanted, std::size_t axis) {
    if (axisOf(view, node, 0) != static_cast<int64_t>(axis))
        return {};
    int64_t begin = 0;
    for (const std::string& output : node.outputs) {
        if (output == wanted)
            return begin;
        const Shape* part = view.shape(output);
        if (part == nullptr)
            return {};
        begin += (*part)[axis];
    }
    return {};
}

std::optional<int64_t> sliceBegin(const GraphView& view, const Node& node, const Shape& source,
                                  const Shape& target, std::size_t axis) {
    const auto starts = constantInts(view, node, 1);
    const auto axes = constantInts(view, node, 3);
    const auto steps = constantInts(view, node, 4);
    const bool forward =
        !steps || std::all_of(steps->begin(), steps->end(), [](int64_t s) { return s == 1; });
    if (!starts || !axes || axes->size() != starts->size() || (node.hasInput(4) && !steps) ||
        !forward)
        return {};
    for (std::size_t i = 0; i < source.size(); ++i)
        if (i != axis && source[i] != target[i])
            return {};
    int64_t begin = 0;
    for (std::size_t i = 0; i < axes->size(); ++i) {
        const int64_t rank = static_cast<int64_t>(source.size());
        const int64_t along = (*axes)[i] < 0 ? (*axes)[i] + rank : (*axes)[i];
        const int64_t start = (*starts)[i] < 0 ? (*starts)[i] + source[axis] : (*starts)[i];
        if (along == static_cast<int64_t>(axis))
            begin = std::clamp<int64_t>(start, 0, source[axis]);
    }
    return begin;
}

} // namespace

int64_t axisOf(const GraphView& view, const Node& node, int64_t fallback) {
    const int64_t axis = node.intAttr("axis", fallback);
    if (axis >= 0)
        return axis;
    const Shape* source = node.hasInput(0) ? view.shape(node.inputs[0]) : nullptr;
    return source != nullptr ? axis + static_cast<int64_t>(source->size()) : -1;
}

std::optional<int64_t> rangeBegin(const GraphView& view, const Node& node,
                                  const std::string& output, std::size_t axis) {
    const Shape* source = node.hasInput(0) ? view.shape(node.inputs[0]) : nullptr;
    const Shape* target = view.shape(output);
    if (!source || !target || source->size() != target->size() || axis >= source->size())
        return {};
    if (node.is("Split"))
        return splitBegin(view, node, output, axis);
    return node.is("Slice") ? sliceBegin(view, node, *source, *target, axis) : std::nullopt;
}

} // namespace irmb::onnx
