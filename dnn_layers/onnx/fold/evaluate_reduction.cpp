#include "evaluate.hpp"
#include "shape_rules.hpp"
#include "tensor_math.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace irmb::onnx {

namespace {

using Outputs = std::vector<TensorFact>;

/// Strides that lead from each element of `input` to the element it is reduced into.
std::vector<int64_t> targetStrides(const Shape& input, const std::vector<int64_t>& axes) {
    Shape kept = input;
    for (const int64_t axis : axes)
        kept[axis] = 1;
    std::vector<int64_t> strides = stridesOf(kept);
    for (const int64_t axis : axes)
        strides[axis] = 0;
    return strides;
}

int64_t sum(int64_t a, int64_t b) {
    return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}

int64_t times(int64_t a, int64_t b) {
    return static_cast<int64_t>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
}

double sum(double a, double b) {
    return a + b;
}

double times(double a, double b) {
    return a * b;
}

/// What a reduction starts from.
template <typename T>
T neutral(const std::string& op) {
    using Limits = std::numeric_limits<T>;
    if (op == "ReduceProd")
        return 1;
    if (op == "ReduceMax")
        return Limits::has_infinity ? -Limits::infinity() : Limits::lowest();
    if (op == "ReduceMin")
        return Limits::has_infinity ? Limits::infinity() : Limits::max();
    return 0;
}

template <typename T>
bool accumulate(const std::string& op, T& total, T value) {
    if (op == "ReduceSum" || op == "ReduceMean")
        total = sum(total, value);
    else if (op == "ReduceSumSquare" || op == "ReduceL2")
        total = sum(total, times(value, value));
    else if (op == "ReduceL1")
        total = sum(total, value < 0 ? times(value, T(-1)) : value);
    else if (op == "ReduceProd")
        total = times(total, value);
    else if (op == "ReduceMax")
        total = std::max(total, value);
    else if (op == "ReduceMin")
        total = std::min(total, value);
    else
        return false;
    return true;
}

/// Integers add up in int64, floating-point numbers in double.
template <typename T>
std::vector<Tensor> reduceAs(const NodeContext& ctx, const TensorFact& output) {
    const std::string& op = ctx.node.op;
    const Tensor& x = *ctx.constant(0);
    const auto axes = reductionAxes(ctx, x.shape.size());
    const std::vector<T> values = load<T>(x);
    const auto count = static_cast<std::size_t>(elementCount(*output.shape));
    // An empty sum is 0 and an empty product 1; there is no largest or mean of nothing.
    if (values.empty() && (op == "ReduceMax" || op == "ReduceMin" || op == "ReduceMean"))
        return {};
    std::vector<T> totals(count, neutral<T>(op));
    std::size_t next = 0;
    bool known = true;
    forEachOffset(x.shape, targetStrides(x.shape, *axes), [&](int64_t offset) {
        known = known && accumulate(op, totals[static_cast<std::size_t>(offset)], values[next++]);
    });
    if (!known)
        return {};
    const T each = static_cast<T>(count == 0 ? 1 : values.size() / count);
    for (T& total : totals)
        if (op == "ReduceMean")
            total /= each;
        else if (op == "ReduceL2")
            total = static_cast<T>(std::sqrt(static_cast<double>(total)));
    return {store(output.type, *output.shape, totals)};
}

std::vector<Tensor> reduce(const NodeContext& ctx, const Outputs& outputs) {
    switch (arithmeticOf(ctx.type(0))) {
    case Arithmetic::Int:
        return reduceAs<int64_t>(ctx, outputs.front());
    case Arithmetic::Float:
    case Arithmetic::Double:
        return reduceAs<double>(ctx, outputs.front());
    case Arithmetic::None:
        break;
    }
    return {};
}

std::vector<Tensor> argReduce(const NodeContext& ctx, const Outputs& outputs) {
    const Tensor& x = *ctx.constant(0);
    if (arithmeticOf(x.type) == Arithmetic::None || x.count() == 0)
        return {};
    const int64_t axis = ctx.axis(ctx.node.intAttr("axis", 0), x.shape.size());
    const bool largest = ctx.node.is("ArgMax");
    const bool last = ctx.node.intAttr("select_last_index", 0) != 0;
    const std::vector<double> values = x.doubles();
    const std::vector<int64_t> strides = stridesOf(x.shape);
    Shape rest = x.shape;
    rest[axis] = 1;
    std::vector<int64_t> result;
    forEachOffset(rest, strides, [&](int64_t base) {
        int64_t best = 0;
        for (int64_t i = 1; i < x.shape[axis]; ++i) {
            const double value = values[base + i * strides[axis]];
            const double champion = values[base + best * strides[axis]];
            if ((largest ? value > champion : value < champion) || (last && value == champion))
                best = i;
        }
        result.push_back(best);
    });
    return {store(DataType::Int64, *outputs.front().shape, result)};
}

template <typename T>
std::vector<Tensor> cumulate(const NodeContext& ctx, const TensorFact& output) {
    const Tensor& x = *ctx.constant(0);
    const auto given = ctx.scalarInt(1);
    const int64_t axis = ctx.axis(*given, x.shape.size());
    const bool exclusive = ctx.node.intAttr("exclusive", 0) != 0;
    const bool reverse = ctx.node.intAttr("reverse", 0) != 0;
    std::vector<T> values = load<T>(x);
    const std::vector<int64_t> strides = stridesOf(x.shape);
    const int64_t extent = x.shape[axis];
    Shape rest = x.shape;
    rest[axis] = std::min<int64_t>(extent, 1);
    forEachOffset(rest, strides, [&](int64_t base) {
        T total(0);
        for (int64_t i = 0; i < extent; ++i) {
            T& value = values[base + (reverse ? extent - 1 - i : i) * strides[axis]];
            const T before = total;
            total = sum(total, value);
            value = exclusive ? before : total;
        }
    });
    return {store(output.type, *output.shape, values)};
}

std::vector<Tensor> cumSum(const NodeContext& ctx, const Outputs& outputs) {
    switch (arithmeticOf(ctx.type(0))) {
    case Arithmetic::Int:
        return cumulate<int64_t>(ctx, outputs.front());
    case Arithmetic::Float:
    case Arithmetic::Double:
        return cumulate<double>(ctx, outputs.front());
    case Arithmetic::None:
        break;
    }
    return {};
}

} // namespace

void addReductionEvaluation(EvaluateRules& rules) {
    for (const char* op : {"ReduceL1", "ReduceL2", "ReduceMax", "ReduceMean", "ReduceMin",
                           "ReduceProd", "ReduceSum", "ReduceSumSquare"})
        rules[op] = reduce;
    for (const char* op : {"ArgMax", "ArgMin"})
        rules[op] = argReduce;
    rules["CumSum"] = cumSum;
}

} // namespace irmb::onnx
