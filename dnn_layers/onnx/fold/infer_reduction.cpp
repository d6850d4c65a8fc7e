#include "infer.hpp"
#include "shape_rules.hpp"

namespace irmb::onnx {

namespace {

Shape reduced(const Shape& input, const std::vector<int64_t>& axes, bool keep) {
    Shape marked = input;
    for (const int64_t axis : axes)
        marked[axis] = keep ? 1 : -1;
    Shape output;
    for (const int64_t side : marked)
        if (side >= 0)
            output.push_back(side);
    return output;
}

std::vector<TensorFact> reduce(const NodeContext& ctx) {
    TensorFact result{ctx.type(0), std::nullopt};
    const Shape* x = ctx.shape(0);
    const auto axes = x ? reductionAxes(ctx, x->size()) : std::nullopt;
    if (axes)
        result.shape = reduced(*x, *axes, ctx.node.intAttr("keepdims", 1) != 0);
    return {result};
}

std::vector<TensorFact> argReduce(const NodeContext& ctx) {
    TensorFact result{DataType::Int64, std::nullopt};
    if (const Shape* x = ctx.shape(0)) {
        const int64_t axis = ctx.axis(ctx.node.intAttr("axis", 0), x->size());
        result.shape = reduced(*x, {axis}, ctx.node.intAttr("keepdims", 1) != 0);
    }
    return {result};
}

} // namespace

void addReductionRules(InferRules& rules) {
    for (const char* op : {"ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax",
                           "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare"})
        rules[op] = reduce;
    for (const char* op : {"ArgMax", "ArgMin"})
        rules[op] = argReduce;
}

} // namespace irmb::onnx
