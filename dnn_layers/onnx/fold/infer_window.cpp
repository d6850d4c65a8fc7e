#include "infer.hpp"
#include "shape_rules.hpp"

#include <algorithm>
#include <cmath>

namespace irmb::onnx {

namespace {

Shape spatial(const NodeContext& ctx, const Shape& x) {
    if (x.size() < 3)
        ctx.fail("the input must be [N, C, ...], not " + toString(x));
    return Shape(x.begin() + 2, x.end());
}

Shape withSpatial(int64_t batch, int64_t channels, const Shape& sides) {
    Shape shape{batch, channels};
    shape.insert(shape.end(), sides.begin(), sides.end());
    return shape;
}

std::vector<TensorFact> conv(const NodeContext& ctx) {
    TensorFact result{ctx.type(0), std::nullopt};
    const Shape* x = ctx.shape(0);
    const Shape* w = ctx.shape(1);
    if (!x || !w)
        return {result};
    const Shape sides = spatial(ctx, *x);
    const int64_t group = ctx.extent("group", 1);
    if (w->size() != x->size() || group < 1 || (*w)[0] % group != 0 ||
        (*w)[1] > kMaxExtent / group || (*w)[1] * group != (*x)[1])
        ctx.fail("weights of " + toString(*w) + " in " + std::to_string(group) +
                 " group(s) do not fit an input of " + toString(*x));
    const Shape kernel(w->begin() + 2, w->end());
    if (ctx.node.intsAttr("kernel_shape", kernel) != kernel)
        ctx.fail("kernel_shape differs from weights of " + toString(*w));
    result.shape =
        withSpatial((*x)[0], (*w)[0], windowOutput(ctx, resolveWindow(ctx, sides, kernel), sides));
    return {result};
}

Shape transposedSides(const NodeContext& ctx, const Shape& sides, const Shape& kernel) {
    const std::size_t rank = sides.size();
    if (ctx.node.attributes.count("output_shape"))
        return ctx.extents("output_shape", rank, 0);
    const std::string mode = ctx.node.stringAttr("auto_pad", "NOTSET");
    const bool same = mode == "SAME_UPPER" || mode == "SAME_LOWER";
    const auto strides = ctx.extents("strides", rank, 1);
    const auto dilations = ctx.extents("dilations", rank, 1);
    const auto pads = ctx.extents("pads", 2 * rank, 0);
    const auto extra = ctx.extents("output_padding", rank, 0);
    Shape output(rank);
    for (std::size_t i = 0; i < rank; ++i) {
        if (sides[i] < 1 || kernel[i] < 1 || strides[i] < 1 || dilations[i] < 1)
            ctx.fail("input, kernel, strides and dilations must be positive");
        const int64_t spread = std::min(strides[i] * (sides[i] - 1), kMaxExtent);
        const int64_t reach = std::min(dilations[i] * (kernel[i] - 1), kMaxExtent) + 1;
        output[i] =
            same ? sides[i] * strides[i] : spread + reach + extra[i] - pads[i] - pads[i + rank];
    }
    return output;
}

std::vector<TensorFact> convTranspose(const NodeContext& ctx) {
    TensorFact result{ctx.type(0), std::nullopt};
    const Shape* x = ctx.shape(0);
    const Shape* w = ctx.shape(1);
    if (!x || !w)
        return {result};
    const Shape sides = spatial(ctx, *x);
    const int64_t group = ctx.extent("group", 1);
    if (w->size() != x->size() || (*w)[0] != (*x)[1] || group < 1 || (*w)[0] % group != 0 ||
        (*w)[1] > kMaxExtent / group)
        ctx.fail("weights of " + toString(*w) + " in " + std::to_string(group) +
                 " group(s) do not fit an input of " + toString(*x));
    const Shape kernel(w->begin() + 2, w->end());
    result.shape = withSpatial((*x)[0], (*w)[1] * group, transposedSides(ctx, sides, kernel));
    return {result};
}

std::vector<TensorFact> pool(const NodeContext& ctx) {
    TensorFact result{ctx.type(0), std::nullopt};
    TensorFact indices{DataType::Int64, std::nullopt};
    if (const Shape* x = ctx.shape(0)) {
        const Shape sides = spatial(ctx, *x);
        const Shape kernel = ctx.extents("kernel_shape", sides.size(), 0);
        const Window window = resolveWindow(ctx, sides, kernel);
        result.shape = withSpatial((*x)[0], (*x)[1], windowOutput(ctx, window, sides));
        indices.shape = result.shape;
    }
    return {result, indices};
}

std::vector<TensorFact> globalPool(const NodeContext& ctx) {
    TensorFact result{ctx.type(0), std::nullopt};
    if (const Shape* x = ctx.shape(0))
        result.shape = withSpatial((*x)[0], (*x)[1], Shape(spatial(ctx, *x).size(), 1));
    return {result};
}

/// Applies keep_aspect_ratio_policy to the wanted sizes of the axes that are resized.
void keepAspect(const NodeContext& ctx, const Shape& input, const std::vector<int64_t>& axes,
                std::vector<int64_t>& sizes) {
    const std::string policy = ctx.node.stringAttr("keep_aspect_ratio_policy", "stretch");
    if (policy == "stretch")
        return;
    const bool smaller = policy == "not_larger";
    if (!smaller && policy != "not_smaller")
        ctx.fail("keep_aspect_ratio_policy " + policy + " is unknown");
    std::optional<float> scale;
    for (std::size_t i = 0; i < axes.size(); ++i) {
        if (input[axes[i]] == 0)
            ctx.fail("an input of " + toString(input) + " has no aspect ratio");
        const float ratio = static_cast<float>(sizes[i]) / static_cast<float>(input[axes[i]]);
        if (!scale || (smaller ? ratio < *scale : ratio > *scale))
            scale = ratio;
    }
    for (std::size_t i = 0; i < axes.size(); ++i)
        sizes[i] = std::llround(*scale * static_cast<float>(input[axes[i]]));
}

int64_t scaled(const NodeContext& ctx, int64_t extent, float scale) {
    const float side = std::floor(static_cast<float>(extent) * scale);
    if (!(side >= 0.f && side < static_cast<float>(kMaxExtent)))
        ctx.fail("scale " + std::to_string(scale) + " is out of range");
    return static_cast<int64_t>(side);
}

std::vector<float> scaleFactors(const NodeContext& ctx, std::size_t input) {
    if (const Tensor* scales = ctx.constant(input); scales && scales->count() <= 16)
        return scales->floats();
    return {};
}

std::vector<TensorFact> resize(const NodeContext& ctx) {
    TensorFact result{ctx.type(0), std::nullopt};
    const Shape* x = ctx.shape(0);
    if (!x || ctx.node.stringAttr("coordinate_transformation_mode", "") == "tf_crop_and_resize")
        return {result};
    std::vector<int64_t> axes = ctx.node.intsAttr("axes");
    if (axes.empty())
        for (std::size_t i = 0; i < x->size(); ++i)
            axes.push_back(static_cast<int64_t>(i));
    axes = ctx.axes(axes, x->size());

    Shape output = *x;
    const IntList sizes = ctx.ints(3);
    const std::vector<float> scales = scaleFactors(ctx, 2);
    if (sizes.values && !sizes.values->empty()) {
        std::vector<int64_t> wanted = *sizes.values;
        if (wanted.size() != axes.size())
            ctx.fail("sizes " + toString(wanted) + " do not fit an input of " + toString(*x));
        keepAspect(ctx, *x, axes, wanted);
        for (std::size_t i = 0; i < axes.size(); ++i)
            output[axes[i]] = wanted[i];
    } else if (!scales.empty()) {
        if (scales.size() != axes.size())
            ctx.fail(std::to_string(scales.size()) + " scales do not fit an input of " +
                     toString(*x));
        for (std::size_t i = 0; i < axes.size(); ++i)
            output[axes[i]] = scaled(ctx, (*x)[axes[i]], scales[i]);
    } else {
        return {result};
    }
    result.shape = output;
    return {result};
}

std::vector<TensorFact> upsample(const NodeContext& ctx) {
    TensorFact result{ctx.type(0), std::nullopt};
    const Shape* x = ctx.shape(0);
    const std::vector<float> scales = scaleFactors(ctx, 1);
    if (!x || scales.empty())
        return {result};
    if (scales.size() != x->size())
        ctx.fail(std::to_string(scales.size()) + " scales do not fit an input of " + toString(*x));
    Shape output = *x;
    for (std::size_t i = 0; i < output.size(); ++i)
        output[i] = scaled(ctx, (*x)[i], scales[i]);
    result.shape = output;
    return {result};
}

std::vector<TensorFact> depthToSpace(const NodeContext& ctx) {
    TensorFact result{ctx.type(0), std::nullopt};
    const Shape* x = ctx.shape(0);
    const int64_t block = ctx.extent("blocksize", 0);
    if (block < 1 || block > (1 << 15))
        ctx.fail("blocksize " + std::to_string(block) + " is out of range");
    if (!x)
        return {result};
    const bool to_space = ctx.node.is("DepthToSpace");
    const bool fits = x->size() == 4 && (to_space ? (*x)[1] % (block * block) == 0
                                                  : (*x)[2] % block == 0 && (*x)[3] % block == 0);
    if (!fits)
        ctx.fail("blocksize " + std::to_string(block) + " does not fit an input of " +
                 toString(*x));
    const Shape& s = *x;
    result.shape = to_space ? Shape{s[0], s[1] / (block * block), s[2] * block, s[3] * block}
                            : Shape{s[0], s[1] * block * block, s[2] / block, s[3] / block};
    return {result};
}

std::vector<TensorFact> gridSample(const NodeContext& ctx) {
    TensorFact result{ctx.type(0), std::nullopt};
    const Shape* x = ctx.shape(0);
    const Shape* grid = ctx.shape(1);
    if (!x || !grid)
        return {result};
    if (x->size() < 3 || grid->size() != x->size())
        ctx.fail("a grid of " + toString(*grid) + " does not fit an input of " + toString(*x));
    result.shape = withSpatial((*x)[0], (*x)[1], Shape(grid->begin() + 1, grid->end() - 1));
    return {result};
}

std::vector<TensorFact> roiAlign(const NodeContext& ctx) {
    TensorFact result{ctx.type(0), std::nullopt};
    const Shape* x = ctx.shape(0);
    const Shape* rois = ctx.shape(1);
    if (x && rois && x->size() == 4 && rois->size() == 2)
        result.shape = Shape{(*rois)[0], (*x)[1], ctx.extent("output_height", 1),
                             ctx.extent("output_width", 1)};
    return {result};
}

} // namespace

void addWindowRules(InferRules& rules) {
    rules["Conv"] = conv;
    rules["ConvTranspose"] = convTranspose;
    for (const char* op : {"AveragePool", "LpPool", "MaxPool"})
        rules[op] = pool;
    for (const char* op : {"GlobalAveragePool", "GlobalLpPool", "GlobalMaxPool"})
        rules[op] = globalPool;
    for (const char* op : {"DepthToSpace", "SpaceToDepth"})
        rules[op] = depthToSpace;
    rules["Resize"] = resize;
    rules["Upsample"] = upsample;
    rules["GridSample"] = gridSample;
    rules["RoiAlign"] = roiAlign;
}

} // namespace irmb::onnx
