#include "infer.hpp"
#include "shape_rules.hpp"

#include <algorithm>

namespace irmb::onnx {

namespace {

std::vector<TensorFact> gather(const NodeContext& ctx) {
    TensorFact result{ctx.type(0), std::nullopt};
    const Shape* x = ctx.shape(0);
    const Shape* indices = ctx.shape(1);
    if (!x || !indices)
        return {result};
    const int64_t axis = ctx.axis(ctx.node.intAttr("axis", 0), x->size());
    Shape output(x->begin(), x->begin() + axis);
    output.insert(output.end(), indices->begin(), indices->end());
    output.insert(output.end(), x->begin() + axis + 1, x->end());
    result.shape = output;
    return {result};
}

std::vector<TensorFact> gatherElements(const NodeContext& ctx) {
    TensorFact result{ctx.type(0), std::nullopt};
    const Shape* x = ctx.shape(0);
    const Shape* indices = ctx.shape(1);
    if (!x || !indices)
        return {result};
    if (x->size() != indices->size())
        ctx.fail("indices of " + toString(*indices) + " do not fit an input of " + toString(*x));
    ctx.axis(ctx.node.intAttr("axis", 0), x->size());
    result.shape = *indices;
    return {result};
}

std::vector<TensorFact> gatherNd(const NodeContext& ctx) {
    TensorFact result{ctx.type(0), std::nullopt};
    const Shape* x = ctx.shape(0);
    const Shape* indices = ctx.shape(1);
    if (!x || !indices)
        return {result};
    const int64_t batch = ctx.extent("batch_dims", 0);
    const int64_t depth = indices->empty() ? -1 : indices->back();
    const int64_t rank = static_cast<int64_t>(x->size());
    if (batch < 0 || depth < 1 || batch + depth > rank ||
        batch >= static_cast<int64_t>(indices->size()))
        ctx.fail("indices of " + toString(*indices) + " do not fit an input of " + toString(*x));
    Shape output(indices->begin(), indices->end() - 1);
    output.insert(output.end(), x->begin() + batch + depth, x->end());
    result.shape = output;
    return {result};
}

std::vector<TensorFact> scatter(const NodeContext& ctx) {
    TensorFact result{ctx.type(0), std::nullopt};
    if (const Shape* x = ctx.shape(0))
        result.shape = *x;
    return {result};
}

std::vector<TensorFact> topK(const NodeContext& ctx) {
    TensorFact values{ctx.type(0), std::nullopt};
    TensorFact indices{DataType::Int64, std::nullopt};
    const Shape* x = ctx.shape(0);
    const auto k = ctx.scalarInt(1);
    if (x && k) {
        Shape output = *x;
        const int64_t axis = ctx.axis(ctx.node.intAttr("axis", -1), x->size());
        if (*k < 0 || *k > output[axis])
            ctx.fail("cannot take the top " + std::to_string(*k) + " of an axis of " +
                     std::to_string(output[axis]));
        output[axis] = *k;
        values.shape = output;
        indices.shape = output;
    }
    return {values, indices};
}

std::vector<TensorFact> oneHot(const NodeContext& ctx) {
    TensorFact result{ctx.type(2), std::nullopt};
    const Shape* indices = ctx.shape(0);
    const auto depth = ctx.scalarInt(1);
    if (indices && depth) {
        Shape output = *indices;
        const int64_t axis = ctx.axis(ctx.node.intAttr("axis", -1), output.size() + 1);
        output.insert(output.begin() + axis, *depth);
        result.shape = output;
    }
    return {result};
}

std::vector<TensorFact> nonZero(const NodeContext&) {
    return {{DataType::Int64, std::nullopt}};
}

std::vector<TensorFact> eyeLike(const NodeContext& ctx) {
    TensorFact result{ctx.type(0), std::nullopt};
    if (ctx.node.attributes.count("dtype"))
        result.type = static_cast<DataType>(ctx.extent("dtype", 0));
    if (const Shape* x = ctx.shape(0))
        result.shape = *x;
    return {result};
}

std::vector<TensorFact> typeOnly(const NodeContext& ctx) {
    return {{ctx.type(0), std::nullopt}};
}

} // namespace

void addIndexingRules(InferRules& rules) {
    rules["Gather"] = gather;
    rules["GatherElements"] = gatherElements;
    rules["GatherND"] = gatherNd;
    for (const char* op : {"Scatter", "ScatterElements", "ScatterND"})
        rules[op] = scatter;
    rules["TopK"] = topK;
    rules["OneHot"] = oneHot;
    for (const char* op : {"NonMaxSuppression", "NonZero"})
        rules[op] = nonZero;
    rules["EyeLike"] = eyeLike;
    for (const char* op : {"Compress", "Unique"})
        rules[op] = typeOnly;
}

} // namespace irmb::onnx
