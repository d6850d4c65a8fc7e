#include "infer.hpp"
#include "shape_rules.hpp"

namespace irmb::onnx {

namespace {

TensorFact broadcastInputs(const NodeContext& ctx, std::size_t first, DataType type) {
    TensorFact result{type, std::nullopt};
    Shape shape;
    for (std::size_t i = first; i < ctx.inputCount(); ++i) {
        if (!ctx.shape(i))
            return result;
        shape = i == first ? *ctx.shape(i) : broadcast(ctx, shape, *ctx.shape(i));
    }
    result.shape = shape;
    return result;
}

TensorFact sameAsInput(const NodeContext& ctx, std::size_t input = 0) {
    TensorFact result{ctx.type(input), std::nullopt};
    if (const Shape* shape = ctx.shape(input))
        result.shape = *shape;
    return result;
}

std::vector<TensorFact> unary(const NodeContext& ctx) {
    return {sameAsInput(ctx)};
}

std::vector<TensorFact> predicate(const NodeContext& ctx) {
    TensorFact result = sameAsInput(ctx);
    result.type = DataType::Bool;
    return {result};
}

std::vector<TensorFact> arithmetic(const NodeContext& ctx) {
    return {broadcastInputs(ctx, 0, ctx.type(0))};
}

std::vector<TensorFact> comparison(const NodeContext& ctx) {
    return {broadcastInputs(ctx, 0, DataType::Bool)};
}

std::vector<TensorFact> where(const NodeContext& ctx) {
    return {broadcastInputs(ctx, 0, ctx.type(1))};
}

std::vector<TensorFact> cast(const NodeContext& ctx) {
    TensorFact result = sameAsInput(ctx);
    result.type =
        ctx.node.is("CastLike") ? ctx.type(1) : static_cast<DataType>(ctx.extent("to", 0));
    return {result};
}

std::vector<TensorFact> dropout(const NodeContext& ctx) {
    TensorFact mask = sameAsInput(ctx);
    mask.type = DataType::Bool;
    return {sameAsInput(ctx), mask};
}

std::vector<TensorFact> prelu(const NodeContext& ctx) {
    const TensorFact result = sameAsInput(ctx);
    if (ctx.shape(0) && ctx.shape(1) &&
        broadcast(ctx, *ctx.shape(0), *ctx.shape(1)) != *ctx.shape(0))
        ctx.fail("slopes of " + toString(*ctx.shape(1)) + " do not fit an input of " +
                 toString(*ctx.shape(0)));
    return {result};
}

std::vector<TensorFact> softmax(const NodeContext& ctx) {
    if (const Shape* x = ctx.shape(0); x && !x->empty())
        ctx.axis(ctx.node.intAttr("axis", ctx.opset < 13 ? 1 : -1), x->size());
    return {sameAsInput(ctx)};
}

/// Batch, instance and group normalisation: parameters have one entry a channel (or group).
std::vector<TensorFact> channelNorm(const NodeContext& ctx) {
    const Shape* x = ctx.shape(0);
    const bool grouped = ctx.node.is("GroupNormalization") && ctx.opset < 21;
    for (std::size_t i = 1; x && i < ctx.inputCount(); ++i) {
        const Shape* parameter = ctx.shape(i);
        if (!parameter || grouped)
            continue;
        if (x->size() < 2 || parameter->size() != 1 || parameter->front() != (*x)[1])
            ctx.fail("parameters of " + toString(*parameter) + " do not fit an input of " +
                     toString(*x));
    }
    return {sameAsInput(ctx)};
}

std::vector<TensorFact> layerNorm(const NodeContext& ctx) {
    const TensorFact result = sameAsInput(ctx);
    TensorFact statistics{DataType::Float, std::nullopt};
    if (const Shape* x = ctx.shape(0)) {
        Shape reduced = *x;
        const int64_t axis = ctx.axis(ctx.node.intAttr("axis", -1), x->size());
        for (std::size_t i = static_cast<std::size_t>(axis); i < reduced.size(); ++i)
            reduced[i] = 1;
        statistics.shape = reduced;
    }
    return {result, statistics, statistics};
}

std::vector<TensorFact> quantize(const NodeContext& ctx) {
    TensorFact result = sameAsInput(ctx);
    result.type = ctx.node.hasInput(2) ? ctx.type(2) : DataType::Uint8;
    return {result};
}

std::vector<TensorFact> dequantize(const NodeContext& ctx) {
    TensorFact result = sameAsInput(ctx);
    result.type = ctx.type(1);
    return {result};
}

} // namespace

void addElementwiseRules(InferRules& rules) {
    for (const char* op : {"Abs",
                           "Acos",
                           "Acosh",
                           "Asin",
                           "Asinh",
                           "Atan",
                           "Atanh",
                           "BitwiseNot",
                           "Ceil",
                           "Celu",
                           "Clip",
                           "Cos",
                           "Cosh",
                           "CumSum",
                           "Elu",
                           "Erf",
                           "Exp",
                           "Floor",
                           "Gelu",
                           "HardSigmoid",
                           "HardSwish",
                           "Identity",
                           "LRN",
                           "LeakyRelu",
                           "Log",
                           "Mish",
                           "Neg",
                           "Not",
                           "Reciprocal",
                           "Relu",
                           "Round",
                           "Selu",
                           "Shrink",
                           "Sigmoid",
                           "Sign",
                           "Sin",
                           "Sinh",
                           "Softplus",
                           "Softsign",
                           "Sqrt",
                           "Tan",
                           "Tanh",
                           "ThresholdedRelu",
                           "Trilu",
                           "LpNormalization",
                           "MeanVarianceNormalization",
                           "ReverseSequence",
                           "Bernoulli"})
        rules[op] = unary;
    for (const char* op : {"IsInf", "IsNaN"})
        rules[op] = predicate;
    for (const char* op : {"Add", "BitShift", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "Div", "Max",
                           "Mean", "Min", "Mod", "Mul", "Pow", "Sub", "Sum"})
        rules[op] = arithmetic;
    for (const char* op :
         {"And", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Or", "Xor"})
        rules[op] = comparison;
    for (const char* op : {"Hardmax", "LogSoftmax", "Softmax"})
        rules[op] = softmax;
    for (const char* op : {"BatchNormalization", "GroupNormalization", "InstanceNormalization"})
        rules[op] = channelNorm;
    for (const char* op : {"Cast", "CastLike"})
        rules[op] = cast;
    rules["Where"] = where;
    rules["Dropout"] = dropout;
    rules["PRelu"] = prelu;
    rules["LayerNormalization"] = layerNorm;
    rules["QuantizeLinear"] = quantize;
    rules["DequantizeLinear"] = dequantize;
}

} // namespace irmb::onnx
