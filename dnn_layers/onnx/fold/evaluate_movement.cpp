#include "evaluate.hpp"
#include "shape_rules.hpp"
#include "tensor_math.hpp"

#include <algorithm>

namespace irmb::onnx {

namespace {

using Outputs = std::vector<TensorFact>;

/// Reshape, Squeeze, Unsqueeze, Flatten, Identity: the same elements in another shape.
std::vector<Tensor> relabel(const NodeContext& ctx, const Outputs& outputs) {
    Tensor result = *ctx.constant(0);
    result.shape = *outputs.front().shape;
    return {std::move(result)};
}

std::vector<Tensor> transpose(const NodeContext& ctx, const Outputs& outputs) {
    const Tensor& x = *ctx.constant(0);
    const std::vector<int64_t> own = stridesOf(x.shape);
    const std::vector<int64_t> order = ctx.node.intsAttr("perm");
    std::vector<int64_t> strides(own.rbegin(), own.rend());
    for (std::size_t i = 0; i < order.size(); ++i)
        strides[i] = own[ctx.axis(order[i], own.size())];
    return {stridedCopy(x, *outputs.front().shape, strides)};
}

std::vector<Tensor> expand(const NodeContext& ctx, const Outputs& outputs) {
    return {broadcastTo(*ctx.constant(0), *outputs.front().shape)};
}

std::vector<Tensor> slice(const NodeContext& ctx, const Outputs& outputs) {
    const Tensor& x = *ctx.constant(0);
    const auto ranges = sliceRanges(ctx, x.shape);
    std::vector<int64_t> strides = stridesOf(x.shape);
    int64_t offset = 0;
    for (std::size_t i = 0; i < strides.size(); ++i) {
        offset += (*ranges)[i].start * strides[i];
        strides[i] *= (*ranges)[i].step;
    }
    return {stridedCopy(x, *outputs.front().shape, strides, offset)};
}

/// Elements before and after `axis`: a tensor seen as [outer, axis, inner].
std::pair<std::size_t, std::size_t> around(const Shape& shape, int64_t axis) {
    const auto middle = shape.begin() + axis;
    return {static_cast<std::size_t>(elementCount(Shape(shape.begin(), middle))),
            static_cast<std::size_t>(elementCount(Shape(middle + 1, shape.end())))};
}

std::vector<Tensor> concat(const NodeContext& ctx, const Outputs& outputs) {
    const TensorFact& output = outputs.front();
    const int64_t axis = ctx.axis(ctx.node.intAttr("axis", 1), output.shape->size());
    const auto [outer, inner] = around(*output.shape, axis);
    const std::size_t run = inner * elementSize(output.type);
    Tensor result = zeros(output.type, *output.shape);
    uint8_t* to = result.data.data();
    for (std::size_t o = 0; o < outer; ++o)
        for (std::size_t i = 0; i < ctx.inputCount(); ++i) {
            const Tensor& part = *ctx.constant(i);
            if (part.type != output.type)
                return {};
            const std::size_t bytes = static_cast<std::size_t>(part.shape[axis]) * run;
            to = std::copy_n(part.data.data() + o * bytes, bytes, to);
        }
    return {std::move(result)};
}

std::vector<Tensor> split(const NodeContext& ctx, const Outputs& outputs) {
    const Tensor& x = *ctx.constant(0);
    const int64_t axis = ctx.axis(ctx.node.intAttr("axis", 0), x.shape.size());
    const std::vector<int64_t> strides = stridesOf(x.shape);
    std::vector<Tensor> parts;
    int64_t offset = 0;
    for (const TensorFact& output : outputs) {
        parts.push_back(stridedCopy(x, *output.shape, strides, offset));
        offset += (*output.shape)[axis] * strides[axis];
    }
    return parts;
}

/// Index into an axis of `extent` of what a padded axis shows at `at` (relative to the input).
int64_t paddedSource(const std::string& mode, int64_t at, int64_t extent) {
    if (mode == "edge")
        return std::clamp<int64_t>(at, 0, extent - 1);
    if (mode == "wrap")
        return ((at % extent) + extent) % extent;
    if (extent == 1)
        return 0;
    const int64_t period = 2 * (extent - 1); // reflect: the border itself is not repeated
    const int64_t phase = ((at % period) + period) % period;
    return std::min(phase, period - phase);
}

/// Constant padding: the overlap of input and output is copied into a tensor of the pad value.
std::vector<Tensor> padConstant(const NodeContext& ctx, const Padding& padding,
                                const TensorFact& output) {
    const Tensor& x = *ctx.constant(0);
    const std::size_t size = elementSize(x.type);
    Tensor value = zeros(x.type, {1});
    if (const Tensor* given = ctx.constant(2)) {
        if (given->count() != 1 || given->type != x.type)
            ctx.fail("the pad value must be one number of the input's type");
        value = *given;
        value.shape = {1};
    }
    Tensor result = broadcastTo(value, output.shape->empty() ? Shape{1} : *output.shape);
    result.shape = *output.shape;

    const std::vector<int64_t> from_strides = stridesOf(x.shape);
    const std::vector<int64_t> to_strides = stridesOf(result.shape);
    Shape overlap = x.shape;
    int64_t from = 0;
    int64_t to = 0;
    for (std::size_t i = 0; i < overlap.size(); ++i) {
        const int64_t first = std::max<int64_t>(0, -padding.before[i]);
        const int64_t last = std::min(x.shape[i], x.shape[i] + padding.after[i]);
        overlap[i] = std::max<int64_t>(0, last - first);
        from += first * from_strides[i];
        to += std::max<int64_t>(0, padding.before[i]) * to_strides[i];
    }
    const Tensor inside = stridedCopy(x, overlap, from_strides, from);
    const uint8_t* source = inside.data.data();
    forEachOffset(overlap, to_strides, [&](int64_t at) {
        std::copy_n(source, size, &result.data[static_cast<std::size_t>(to + at) * size]);
        source += size;
    });
    return {std::move(result)};
}

/// edge, reflect and wrap, one axis after the other.
std::vector<Tensor> padMirrored(const NodeContext& ctx, const Padding& padding,
                                const std::string& mode) {
    Tensor result = *ctx.constant(0);
    for (std::size_t d = 0; d < result.shape.size(); ++d) {
        const int64_t extent = result.shape[d];
        const int64_t wanted = extent + padding.before[d] + padding.after[d];
        if (extent == 0 || wanted == extent)
            continue;
        const auto [outer, inner] = around(result.shape, static_cast<int64_t>(d));
        const std::size_t run = inner * elementSize(result.type);
        Shape shape = result.shape;
        shape[d] = wanted;
        Tensor next = zeros(result.type, shape);
        uint8_t* to = next.data.data();
        for (std::size_t o = 0; o < outer; ++o)
            for (int64_t i = 0; i < wanted; ++i) {
                const int64_t at = paddedSource(mode, i - padding.before[d], extent);
                const std::size_t row =
                    o * static_cast<std::size_t>(extent) + static_cast<std::size_t>(at);
                to = std::copy_n(result.data.data() + row * run, run, to);
            }
        result = std::move(next);
    }
    return {std::move(result)};
}

std::vector<Tensor> pad(const NodeContext& ctx, const Outputs& outputs) {
    const auto padding = padAmounts(ctx, ctx.constant(0)->shape.size());
    const std::string mode = ctx.node.stringAttr("mode", "constant");
    if (elementSize(ctx.type(0)) == 0)
        return {};
    if (mode == "constant")
        return padConstant(ctx, *padding, outputs.front());
    if (mode == "edge" || mode == "reflect" || mode == "wrap")
        return padMirrored(ctx, *padding, mode);
    return {};
}

std::vector<Tensor> tile(const NodeContext& ctx, const Outputs& outputs) {
    // [a, b] becomes [1, a, 1, b], is broadcast to [ra, a, rb, b] and relabelled [ra * a, rb * b].
    Tensor source = *ctx.constant(0);
    const std::vector<int64_t> repeats = *ctx.ints(1).values;
    Shape spread;
    Shape separated;
    for (std::size_t i = 0; i < repeats.size(); ++i) {
        spread.insert(spread.end(), {repeats[i], source.shape[i]});
        separated.insert(separated.end(), {1, source.shape[i]});
    }
    source.shape = separated;
    Tensor result = broadcastTo(source, spread);
    result.shape = *outputs.front().shape;
    return {std::move(result)};
}

std::vector<Tensor> constantOfShape(const NodeContext& ctx, const Outputs& outputs) {
    const auto attribute = ctx.node.attributes.find("value");
    const Shape& shape = *outputs.front().shape;
    if (attribute == ctx.node.attributes.end())
        return {zeros(DataType::Float, shape)};
    const Tensor* given = std::get_if<Tensor>(&attribute->second);
    if (!given || given->count() != 1)
        ctx.fail("value must be a tensor of one element");
    Tensor value = *given;
    value.shape = {};
    return {broadcastTo(value, shape)};
}

template <typename T>
Tensor rangeOf(const NodeContext& ctx, const TensorFact& output) {
    const T start = load<T>(*ctx.constant(0)).front();
    const T delta = load<T>(*ctx.constant(2)).front();
    std::vector<T> values(static_cast<std::size_t>(output.shape->front()));
    T value = start;
    for (std::size_t i = 0; i < values.size(); ++i) {
        values[i] = value;
        // The step past the last element may leave the type.
        if (i + 1 < values.size())
            value += delta;
    }
    return store(output.type, *output.shape, values);
}

std::vector<Tensor> range(const NodeContext& ctx, const Outputs& outputs) {
    switch (arithmeticOf(ctx.type(0))) {
    case Arithmetic::Int:
        return {rangeOf<int64_t>(ctx, outputs.front())};
    case Arithmetic::Float:
        return {rangeOf<float>(ctx, outputs.front())};
    case Arithmetic::Double:
        return {rangeOf<double>(ctx, outputs.front())};
    case Arithmetic::None:
        break;
    }
    return {};
}

std::vector<Tensor> trilu(const NodeContext& ctx, const Outputs&) {
    Tensor result = *ctx.constant(0);
    const std::size_t rank = result.shape.size();
    if (rank < 2)
        ctx.fail("the input must be a matrix, not " + toString(result.shape));
    const int64_t rows = result.shape[rank - 2];
    const int64_t columns = result.shape[rank - 1];
    const bool upper = ctx.node.intAttr("upper", 1) != 0;
    const int64_t k = std::clamp(ctx.scalarInt(1).value_or(0), -kMaxExtent, kMaxExtent);
    const std::size_t size = elementSize(result.type);
    const int64_t count = result.count();
    for (int64_t i = 0; i < count; ++i) {
        const int64_t row = i / columns % rows;
        const int64_t column = i % columns;
        if (upper ? column < row + k : column > row + k)
            std::fill_n(&result.data[static_cast<std::size_t>(i) * size], size, uint8_t{0});
    }
    return {std::move(result)};
}

} // namespace

void addMovementEvaluation(EvaluateRules& rules) {
    for (const char* op : {"Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze"})
        rules[op] = relabel;
    rules["Transpose"] = transpose;
    rules["Expand"] = expand;
    rules["Slice"] = slice;
    rules["Concat"] = concat;
    rules["Split"] = split;
    rules["Pad"] = pad;
    rules["Tile"] = tile;
    rules["ConstantOfShape"] = constantOfShape;
    rules["Range"] = range;
    rules["Trilu"] = trilu;
}

} // namespace irmb::onnx
