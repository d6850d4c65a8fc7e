#include "infer.hpp"
#include "shape_rules.hpp"

#include <algorithm>

namespace irmb::onnx {

namespace {

std::vector<TensorFact> reshape(const NodeContext& ctx) {
    TensorFact result{ctx.type(0), std::nullopt};
    const IntList target = ctx.ints(1, "shape");
    if (const Shape* x = ctx.shape(0); x && target.values)
        result.shape =
            reshapeTarget(ctx, *x, *target.values, ctx.node.intAttr("allowzero", 0) != 0);
    return {result};
}

std::vector<TensorFact> squeeze(const NodeContext& ctx) {
    TensorFact result{ctx.type(0), std::nullopt};
    const Shape* x = ctx.shape(0);
    const IntList list = ctx.ints(1, "axes");
    if (!x || (list.given && !list.values))
        return {result};
    std::vector<bool> drop(x->size(), false);
    for (std::size_t i = 0; !list.given && i < x->size(); ++i)
        drop[i] = (*x)[i] == 1;
    if (list.given)
        for (const int64_t axis : ctx.axes(*list.values, x->size())) {
            if ((*x)[axis] != 1)
                ctx.fail("axis " + std::to_string(axis) + " of " + toString(*x) + " is not 1");
            drop[axis] = true;
        }
    Shape output;
    for (std::size_t i = 0; i < x->size(); ++i)
        if (!drop[i])
            output.push_back((*x)[i]);
    result.shape = output;
    return {result};
}

std::vector<TensorFact> unsqueeze(const NodeContext& ctx) {
    TensorFact result{ctx.type(0), std::nullopt};
    const Shape* x = ctx.shape(0);
    const IntList list = ctx.ints(1, "axes");
    if (!x || !list.values)
        return {result};
    const std::size_t rank = x->size() + list.values->size();
    Shape output(rank, 0);
    for (const int64_t axis : ctx.axes(*list.values, rank))
        output[axis] = -1;
    std::size_t next = 0;
    for (int64_t& side : output)
        side = side == -1 ? 1 : (*x)[next++];
    result.shape = output;
    return {result};
}

std::vector<TensorFact> flatten(const NodeContext& ctx) {
    TensorFact result{ctx.type(0), std::nullopt};
    if (const Shape* x = ctx.shape(0)) {
        const int64_t rank = static_cast<int64_t>(x->size());
        const int64_t given = ctx.node.intAttr("axis", 1);
        const int64_t axis =
            given == rank ? rank : (rank == 0 && given == 0 ? 0 : ctx.axis(given, x->size()));
        result.shape = Shape{elementCount(Shape(x->begin(), x->begin() + axis)),
                             elementCount(Shape(x->begin() + axis, x->end()))};
    }
    return {result};
}

std::vector<TensorFact> expand(const NodeContext& ctx) {
    TensorFact result{ctx.type(0), std::nullopt};
    const IntList target = ctx.ints(1);
    if (const Shape* x = ctx.shape(0); x && target.values)
        result.shape = broadcast(ctx, *x, *target.values);
    return {result};
}

std::vector<TensorFact> tile(const NodeContext& ctx) {
    TensorFact result{ctx.type(0), std::nullopt};
    const Shape* x = ctx.shape(0);
    const IntList repeats = ctx.ints(1);
    if (!x || !repeats.values)
        return {result};
    if (repeats.values->size() != x->size())
        ctx.fail("repeats " + toString(*repeats.values) + " do not fit an input of " +
                 toString(*x));
    Shape output = *x;
    for (std::size_t i = 0; i < output.size(); ++i) {
        const int64_t times = (*repeats.values)[i];
        if (times < 0 || times > kMaxExtent)
            ctx.fail("cannot repeat " + std::to_string(times) + " times");
        output[i] *= times;
    }
    result.shape = output;
    return {result};
}

std::vector<TensorFact> transpose(const NodeContext& ctx) {
    TensorFact result{ctx.type(0), std::nullopt};
    const Shape* x = ctx.shape(0);
    if (!x)
        return {result};
    std::vector<int64_t> order = ctx.node.intsAttr("perm");
    if (order.empty())
        for (std::size_t i = x->size(); i-- > 0;)
            order.push_back(static_cast<int64_t>(i));
    if (order.size() != x->size())
        ctx.fail("perm has " + std::to_string(order.size()) + " axes for an input of " +
                 toString(*x));
    Shape output;
    for (const int64_t axis : ctx.axes(order, x->size()))
        output.push_back((*x)[axis]);
    result.shape = output;
    return {result};
}

std::vector<TensorFact> concat(const NodeContext& ctx) {
    TensorFact result{ctx.type(0), std::nullopt};
    for (std::size_t i = 0; i < ctx.inputCount(); ++i)
        if (!ctx.shape(i))
            return {result};
    if (ctx.inputCount() == 0)
        ctx.fail("there is nothing to join");
    Shape output = *ctx.shape(0);
    const int64_t axis = ctx.axis(ctx.node.intAttr("axis", 1), output.size());
    for (std::size_t i = 1; i < ctx.inputCount(); ++i) {
        Shape other = *ctx.shape(i);
        bool fits = other.size() == output.size();
        for (std::size_t d = 0; fits && d < other.size(); ++d)
            fits = d == static_cast<std::size_t>(axis) || other[d] == output[d];
        if (!fits)
            ctx.fail("shapes " + toString(output) + " and " + toString(other) +
                     " do not join along axis " + std::to_string(axis));
        output[axis] += other[axis];
    }
    result.shape = output;
    return {result};
}

std::vector<TensorFact> split(const NodeContext& ctx) {
    std::vector<TensorFact> results(ctx.node.outputs.size(), {ctx.type(0), std::nullopt});
    const Shape* x = ctx.shape(0);
    if (!x || results.empty())
        return results;
    const int64_t axis = ctx.axis(ctx.node.intAttr("axis", 0), x->size());
    const auto sizes = splitSizes(ctx, (*x)[axis]);
    for (std::size_t i = 0; sizes && i < results.size(); ++i) {
        Shape part = *x;
        part[axis] = (*sizes)[i];
        results[i].shape = part;
    }
    return results;
}

std::vector<TensorFact> slice(const NodeContext& ctx) {
    TensorFact result{ctx.type(0), std::nullopt};
    const Shape* x = ctx.shape(0);
    const auto ranges = x ? sliceRanges(ctx, *x) : std::nullopt;
    if (ranges) {
        Shape output;
        for (const Range& range : *ranges)
            output.push_back(range.count);
        result.shape = output;
    }
    return {result};
}

std::vector<TensorFact> pad(const NodeContext& ctx) {
    TensorFact result{ctx.type(0), std::nullopt};
    const Shape* x = ctx.shape(0);
    const auto padding = x ? padAmounts(ctx, x->size()) : std::nullopt;
    if (padding) {
        Shape output = *x;
        for (std::size_t i = 0; i < output.size(); ++i)
            output[i] += padding->before[i] + padding->after[i];
        result.shape = output;
    }
    return {result};
}

std::vector<TensorFact> shapeOf(const NodeContext& ctx) {
    TensorFact result{DataType::Int64, std::nullopt};
    if (const Shape* x = ctx.shape(0)) {
        const auto [begin, end] = shapeSpan(ctx, x->size());
        result.shape = Shape{end - begin};
    }
    return {result};
}

std::vector<TensorFact> size(const NodeContext&) {
    return {{DataType::Int64, Shape{}}};
}

std::vector<TensorFact> constant(const NodeContext& ctx) {
    for (const auto& [key, value] : ctx.node.attributes) {
        if (const auto* tensor = std::get_if<Tensor>(&value))
            return {{tensor->type, tensor->shape}};
        if (std::holds_alternative<float>(value))
            return {{DataType::Float, Shape{}}};
        if (std::holds_alternative<int64_t>(value))
            return {{DataType::Int64, Shape{}}};
        if (const auto* floats = std::get_if<std::vector<float>>(&value))
            return {{DataType::Float, Shape{static_cast<int64_t>(floats->size())}}};
        if (const auto* ints = std::get_if<std::vector<int64_t>>(&value))
            return {{DataType::Int64, Shape{static_cast<int64_t>(ints->size())}}};
    }
    return {};
}

std::vector<TensorFact> constantOfShape(const NodeContext& ctx) {
    TensorFact result{DataType::Float, std::nullopt};
    const auto value = ctx.node.attributes.find("value");
    if (value != ctx.node.attributes.end())
        if (const Tensor* tensor = std::get_if<Tensor>(&value->second))
            result.type = tensor->type;
    const IntList target = ctx.ints(0);
    if (target.values)
        result.shape = *target.values;
    return {result};
}

std::vector<TensorFact> range(const NodeContext& ctx) {
    TensorFact result{ctx.type(0), std::nullopt};
    if (const auto count = rangeCount(ctx))
        result.shape = Shape{*count};
    return {result};
}

} // namespace

void addMovementRules(InferRules& rules) {
    rules["Reshape"] = reshape;
    rules["Squeeze"] = squeeze;
    rules["Unsqueeze"] = unsqueeze;
    rules["Flatten"] = flatten;
    rules["Expand"] = expand;
    rules["Tile"] = tile;
    rules["Transpose"] = transpose;
    rules["Concat"] = concat;
    rules["Split"] = split;
    rules["Slice"] = slice;
    rules["Pad"] = pad;
    rules["Shape"] = shapeOf;
    rules["Size"] = size;
    rules["Constant"] = constant;
    rules["ConstantOfShape"] = constantOfShape;
    rules["Range"] = range;
}

} // namespace irmb::onnx
