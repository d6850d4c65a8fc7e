#pragma once

#include "node_context.hpp"

#include <utility>

/// Geometry that inference, evaluation and simplification share. Everything throws through
/// NodeContext::fail when the numbers in the file contradict each other.
namespace irmb::onnx {

/// NumPy broadcasting of two shapes.
Shape broadcast(const NodeContext& ctx, const Shape& a, const Shape& b);

/// Row-major strides in elements.
std::vector<int64_t> stridesOf(const Shape& shape);

/// Output shape of a Reshape: 0 copies a dimension (unless `allow_zero`), -1 is worked out.
Shape reshapeTarget(const NodeContext& ctx, const Shape& input, const std::vector<int64_t>& wanted,
                    bool allow_zero);

/// What a Slice takes along one axis: count elements from start in steps of step.
struct Range {
    int64_t start = 0;
    int64_t count = 0;
    int64_t step = 1;
};
/// One range for each axis of `input`; empty when a bound is known at run time only.
std::optional<std::vector<Range>> sliceRanges(const NodeContext& ctx, const Shape& input);

/// Elements added (removed where negative) before and after each axis.
struct Padding {
    std::vector<int64_t> before;
    std::vector<int64_t> after;
};
std::optional<Padding> padAmounts(const NodeContext& ctx, std::size_t rank);

/// Sizes of the parts of a Split along its axis.
std::optional<std::vector<int64_t>> splitSizes(const NodeContext& ctx, int64_t extent);

/// First and one past last dimension that a Shape node reports.
std::pair<int64_t, int64_t> shapeSpan(const NodeContext& ctx, std::size_t rank);

/// Number of elements of a Range whose bounds are constant.
std::optional<int64_t> rangeCount(const NodeContext& ctx);

/// True for shapes that arithmetic can rely on: no more than kMaxRank sides, each in
/// 0..kMaxExtent, and a number of elements that fits an int64.
bool isPlausible(const Shape& shape);

/// Axes of a reduction, ascending; all of them where none is given.
std::optional<std::vector<int64_t>> reductionAxes(const NodeContext& ctx, std::size_t rank);

/// Kernel, strides, dilations and pads of a convolution or pooling, each with one entry for a
/// spatial axis and pads with the begins before the ends; auto_pad resolved.
struct Window {
    std::vector<int64_t> kernel;
    std::vector<int64_t> strides;
    std::vector<int64_t> dilations;
    std::vector<int64_t> pads;
    bool ceil = false;

    int64_t reach(std::size_t i) const { return dilations[i] * (kernel[i] - 1) + 1; }
};
/// `input` and `kernel` are the spatial sizes.
Window resolveWindow(const NodeContext& ctx, const Shape& input, const Shape& kernel);
/// Spatial output size of a convolution or pooling.
Shape windowOutput(const NodeContext& ctx, const Window& window, const Shape& input);

} // namespace irmb::onnx
