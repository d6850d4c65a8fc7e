#include "evaluate.hpp"
#include "shape_rules.hpp"
#include "tensor_math.hpp"

#include <algorithm>

namespace irmb::onnx {

namespace {

using Outputs = std::vector<TensorFact>;

/// An index counted from the front; fails outside -extent..extent - 1.
std::size_t position(const NodeContext& ctx, int64_t index, int64_t extent) {
    if (index < -extent || index >= extent)
        ctx.fail("index " + std::to_string(index) + " lies outside an axis of " +
                 std::to_string(extent));
    return static_cast<std::size_t>(index < 0 ? index + extent : index);
}

std::size_t product(Shape::const_iterator begin, Shape::const_iterator end) {
    return static_cast<std::size_t>(elementCount(Shape(begin, end)));
}

std::vector<Tensor> gather(const NodeContext& ctx, const Outputs& outputs) {
    const Tensor& x = *ctx.constant(0);
    const int64_t axis = ctx.axis(ctx.node.intAttr("axis", 0), x.shape.size());
    const int64_t extent = x.shape[axis];
    const std::size_t outer = product(x.shape.begin(), x.shape.begin() + axis);
    const std::size_t run =
        product(x.shape.begin() + axis + 1, x.shape.end()) * elementSize(x.type);
    const std::vector<int64_t> indices = ctx.constant(1)->ints();
    Tensor result = zeros(x.type, *outputs.front().shape);
    uint8_t* to = result.data.data();
    for (std::size_t o = 0; o < outer; ++o)
        for (const int64_t index : indices) {
            const std::size_t row =
                o * static_cast<std::size_t>(extent) + position(ctx, index, extent);
            to = std::copy_n(x.data.data() + row * run, run, to);
        }
    return {std::move(result)};
}

/// Offsets in a tensor of `shape` of the elements that `indices` name along `axis`, their other
/// coordinates being those of the index itself.
std::vector<std::size_t> elementOffsets(const NodeContext& ctx, const Shape& shape,
                                        const Tensor& indices, int64_t axis) {
    for (std::size_t d = 0; d < shape.size(); ++d)
        if (static_cast<int64_t>(d) != axis && indices.shape[d] > shape[d])
            ctx.fail("indices of " + toString(indices.shape) + " do not fit an input of " +
                     toString(shape));
    std::vector<int64_t> strides = stridesOf(shape);
    const std::size_t stride = static_cast<std::size_t>(strides[axis]);
    strides[axis] = 0;
    const std::vector<int64_t> values = indices.ints();
    std::vector<std::size_t> offsets;
    offsets.reserve(values.size());
    forEachOffset(indices.shape, strides, [&](int64_t base) {
        const int64_t index = values[offsets.size()];
        offsets.push_back(static_cast<std::size_t>(base) +
                          position(ctx, index, shape[axis]) * stride);
    });
    return offsets;
}

std::vector<Tensor> gatherElements(const NodeContext& ctx, const Outputs& outputs) {
    const Tensor& x = *ctx.constant(0);
    const int64_t axis = ctx.axis(ctx.node.intAttr("axis", 0), x.shape.size());
    const std::size_t size = elementSize(x.type);
    Tensor result = zeros(x.type, *outputs.front().shape);
    uint8_t* to = result.data.data();
    for (const std::size_t offset : elementOffsets(ctx, x.shape, *ctx.constant(1), axis))
        to = std::copy_n(&x.data[offset * size], size, to);
    return {std::move(result)};
}

std::vector<Tensor> scatterElements(const NodeContext& ctx, const Outputs&) {
    const Tensor& updates = *ctx.constant(2);
    Tensor result = *ctx.constant(0);
    const std::size_t size = elementSize(result.type);
    if (updates.shape != ctx.constant(1)->shape || updates.type != result.type ||
        updates.shape.size() != result.shape.size())
        ctx.fail("updates of " + toString(updates.shape) + " do not fit indices of " +
                 toString(ctx.constant(1)->shape));
    if (ctx.node.stringAttr("reduction", "none") != "none")
        return {};
    const int64_t axis = ctx.axis(ctx.node.intAttr("axis", 0), result.shape.size());
    const uint8_t* from = updates.data.data();
    for (const std::size_t offset : elementOffsets(ctx, result.shape, *ctx.constant(1), axis)) {
        std::copy_n(from, size, &result.data[offset * size]);
        from += size;
    }
    return {std::move(result)};
}

/// Offset of the slice that one tuple of indices names, `axes` being the sides that it indexes.
std::size_t sliceOffset(const NodeContext& ctx, const int64_t* tuple, const Shape& axes) {
    std::size_t offset = 0;
    for (std::size_t d = 0; d < axes.size(); ++d)
        offset = offset * static_cast<std::size_t>(axes[d]) + position(ctx, tuple[d], axes[d]);
    return offset;
}

std::vector<Tensor> gatherNd(const NodeContext& ctx, const Outputs& outputs) {
    const Tensor& x = *ctx.constant(0);
    const Tensor& indices = *ctx.constant(1);
    const int64_t batch_dims = ctx.extent("batch_dims", 0);
    const int64_t depth = indices.shape.back();
    const auto indexed = x.shape.begin() + batch_dims;
    if (!std::equal(x.shape.begin(), indexed, indices.shape.begin()))
        ctx.fail("indices of " + toString(indices.shape) + " do not fit an input of " +
                 toString(x.shape));
    const Shape axes(indexed, indexed + depth);
    const std::size_t run = product(indexed + depth, x.shape.end()) * elementSize(x.type);
    const std::size_t batches = product(x.shape.begin(), indexed);
    const std::size_t slices = product(axes.begin(), axes.end());
    const std::vector<int64_t> values = indices.ints();
    Tensor result = zeros(x.type, *outputs.front().shape);
    uint8_t* to = result.data.data();
    const std::size_t tuples = values.size() / static_cast<std::size_t>(depth);
    for (std::size_t i = 0; i < tuples; ++i) {
        const std::size_t batch = i / (tuples / batches);
        const int64_t* tuple = &values[i * static_cast<std::size_t>(depth)];
        const std::size_t row = batch * slices + sliceOffset(ctx, tuple, axes);
        to = std::copy_n(x.data.data() + row * run, run, to);
    }
    return {std::move(result)};
}

std::vector<Tensor> scatterNd(const NodeContext& ctx, const Outputs&) {
    const Tensor& indices = *ctx.constant(1);
    const Tensor& updates = *ctx.constant(2);
    Tensor result = *ctx.constant(0);
    const int64_t depth = indices.shape.empty() ? 0 : indices.shape.back();
    if (depth < 1 || depth > static_cast<int64_t>(result.shape.size()))
        ctx.fail("indices of " + toString(indices.shape) + " do not fit an input of " +
                 toString(result.shape));
    const auto inner = result.shape.begin() + depth;
    Shape expected(indices.shape.begin(), indices.shape.end() - 1);
    expected.insert(expected.end(), inner, result.shape.end());
    if (updates.shape != expected || updates.type != result.type)
        ctx.fail("updates of " + toString(updates.shape) + " must be " + toString(expected));
    if (ctx.node.stringAttr("reduction", "none") != "none")
        return {};
    const Shape axes(result.shape.begin(), inner);
    const std::size_t run = product(inner, result.shape.end()) * elementSize(result.type);
    const std::vector<int64_t> values = indices.ints();
    const uint8_t* from = updates.data.data();
    for (std::size_t i = 0; i < values.size(); i += static_cast<std::size_t>(depth)) {
        std::copy_n(from, run, result.data.data() + sliceOffset(ctx, &values[i], axes) * run);
        from += run;
    }
    return {std::move(result)};
}

std::vector<Tensor> nonZero(const NodeContext& ctx, const Outputs&) {
    const Tensor& x = *ctx.constant(0);
    if (elementSize(x.type) == 0)
        return {};
    const std::vector<double> values = x.doubles();
    const std::vector<int64_t> strides = stridesOf(x.shape);
    std::vector<int64_t> found;
    for (std::size_t d = 0; d < x.shape.size(); ++d)
        for (std::size_t i = 0; i < values.size(); ++i)
            if (values[i] != 0)
                found.push_back(static_cast<int64_t>(i) / strides[d] % x.shape[d]);
    const int64_t rank = static_cast<int64_t>(x.shape.size());
    const int64_t count = rank == 0 ? 0 : static_cast<int64_t>(found.size()) / rank;
    return {Tensor::fromInts({rank, count}, found)};
}

std::vector<Tensor> oneHot(const NodeContext& ctx, const Outputs& outputs) {
    const Tensor& values = *ctx.constant(2);
    const TensorFact& output = outputs.front();
    if (values.count() != 2 || elementSize(values.type) == 0)
        ctx.fail("values must be the off and the on value");
    const int64_t axis = ctx.axis(ctx.node.intAttr("axis", -1), output.shape->size());
    const int64_t depth = (*output.shape)[axis];
    const std::vector<int64_t> indices = ctx.constant(0)->ints();
    const std::size_t inner = product(output.shape->begin() + axis + 1, output.shape->end());
    const std::size_t size = elementSize(values.type);
    Tensor off = zeros(values.type, {1});
    std::copy_n(values.data.data(), size, off.data.data());
    Tensor result = broadcastTo(off, *output.shape);
    for (std::size_t i = 0; i < indices.size(); ++i) {
        if (indices[i] < -depth || indices[i] >= depth)
            continue;
        const std::size_t at = position(ctx, indices[i], depth);
        const std::size_t offset =
            (i / inner * static_cast<std::size_t>(depth) + at) * inner + i % inner;
        std::copy_n(&values.data[size], size, &result.data[offset * size]);
    }
    return {std::move(result)};
}

} // namespace

void addIndexingEvaluation(EvaluateRules& rules) {
    rules["Gather"] = gather;
    rules["GatherElements"] = gatherElements;
    rules["GatherND"] = gatherNd;
    rules["ScatterElements"] = scatterElements;
    rules["ScatterND"] = scatterNd;
    rules["NonZero"] = nonZero;
    rules["OneHot"] = oneHot;
}

} // namespace irmb::onnx
