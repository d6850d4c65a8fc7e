#include "evaluate.hpp"
#include "tensor_math.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace irmb::onnx {

namespace {

template <typename T>
using Unary = T (*)(T);
template <typename T>
using Binary = T (*)(T, T);
template <typename T>
using Relation = bool (*)(T, T);
template <typename Function>
using Table = std::unordered_map<std::string, Function>;

int64_t wrapped(uint64_t bits) {
    return static_cast<int64_t>(bits);
}

int64_t power(int64_t base, int64_t exponent) {
    if (exponent < 0)
        return base == 1 ? 1 : base == -1 ? (exponent % 2 == 0 ? 1 : -1) : 0;
    uint64_t result = 1;
    for (uint64_t factor = static_cast<uint64_t>(base); exponent > 0; exponent /= 2) {
        if (exponent % 2 == 1)
            result *= factor;
        factor *= factor;
    }
    return wrapped(result);
}

/// Quotient cut towards zero; the one that leaves int64 wraps. The divisor is not 0.
int64_t quotient(int64_t a, int64_t b) {
    return b == -1 ? wrapped(0 - static_cast<uint64_t>(a)) : a / b;
}

int64_t remainder(int64_t a, int64_t b) {
    return b == -1 ? 0 : a % b;
}

/// Remainder with the sign of the divisor, as ONNX's integer Mod has it.
int64_t modulo(int64_t a, int64_t b) {
    const int64_t r = remainder(a, b);
    return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

const Table<Binary<int64_t>>& integerBinaries() {
    static const Table<Binary<int64_t>> table = {
        {"Add", [](int64_t a, int64_t b) { return wrapped(uint64_t(a) + uint64_t(b)); }},
        {"Sub", [](int64_t a, int64_t b) { return wrapped(uint64_t(a) - uint64_t(b)); }},
        {"Mul", [](int64_t a, int64_t b) { return wrapped(uint64_t(a) * uint64_t(b)); }},
        {"Sum", [](int64_t a, int64_t b) { return wrapped(uint64_t(a) + uint64_t(b)); }},
        {"Div", quotient},
        {"Mod", modulo},
        {"fmod", remainder},
        {"Pow", power},
        {"Min", [](int64_t a, int64_t b) { return std::min(a, b); }},
        {"Max", [](int64_t a, int64_t b) { return std::max(a, b); }},
        {"And", [](int64_t a, int64_t b) { return a & b; }},
        {"Or", [](int64_t a, int64_t b) { return a | b; }},
        {"Xor", [](int64_t a, int64_t b) { return a ^ b; }},
        {"BitwiseAnd", [](int64_t a, int64_t b) { return a & b; }},
        {"BitwiseOr", [](int64_t a, int64_t b) { return a | b; }},
        {"BitwiseXor", [](int64_t a, int64_t b) { return a ^ b; }}};
    return table;
}

/// Min and Max of ONNX pass NaN on.
template <typename T>
T smaller(T a, T b) {
    return std::isnan(a) || a < b ? a : b;
}

template <typename T>
T larger(T a, T b) {
    return std::isnan(a) || a > b ? a : b;
}

template <typename T>
const Table<Binary<T>>& floatBinaries() {
    static const Table<Binary<T>> table = {{"Add", [](T a, T b) { return a + b; }},
                                           {"Sub", [](T a, T b) { return a - b; }},
                                           {"Mul", [](T a, T b) { return a * b; }},
                                           {"Sum", [](T a, T b) { return a + b; }},
                                           {"Div", [](T a, T b) { return a / b; }},
                                           {"fmod", [](T a, T b) { return std::fmod(a, b); }},
                                           {"Pow", [](T a, T b) { return std::pow(a, b); }},
                                           {"Min", smaller<T>},
                                           {"Max", larger<T>}};
    return table;
}

template <typename T>
const Table<Binary<T>>& binaries() {
    if constexpr (std::is_same_v<T, int64_t>)
        return integerBinaries();
    else
        return floatBinaries<T>();
}

template <typename T>
const Table<Relation<T>>& relations() {
    static const Table<Relation<T>> table = {{"Equal", [](T a, T b) { return a == b; }},
                                             {"Less", [](T a, T b) { return a < b; }},
                                             {"LessOrEqual", [](T a, T b) { return a <= b; }},
                                             {"Greater", [](T a, T b) { return a > b; }},
                                             {"GreaterOrEqual", [](T a, T b) { return a >= b; }}};
    return table;
}

const Table<Unary<int64_t>>& integerUnaries() {
    static const Table<Unary<int64_t>> table = {
        {"Abs", [](int64_t a) { return a < 0 ? wrapped(0 - uint64_t(a)) : a; }},
        {"Neg", [](int64_t a) { return wrapped(0 - uint64_t(a)); }},
        {"Sign", [](int64_t a) { return int64_t(a > 0) - int64_t(a < 0); }},
        {"Not", [](int64_t a) { return int64_t(a == 0); }},
        {"BitwiseNot", [](int64_t a) { return ~a; }},
        {"Relu", [](int64_t a) { return std::max<int64_t>(a, 0); }}};
    return table;
}

template <typename T>
const Table<Unary<T>>& floatUnaries() {
    static const Table<Unary<T>> table = {
        {"Abs", [](T a) { return std::abs(a); }},
        {"Neg", [](T a) { return -a; }},
        {"Sign", [](T a) { return T(a > 0) - T(a < 0); }},
        {"Floor", [](T a) { return std::floor(a); }},
        {"Ceil", [](T a) { return std::ceil(a); }},
        {"Round", [](T a) { return std::nearbyint(a); }}, // halves to even
        {"Sqrt", [](T a) { return std::sqrt(a); }},
        {"Exp", [](T a) { return std::exp(a); }},
        {"Log", [](T a) { return std::log(a); }},
        {"Sin", [](T a) { return std::sin(a); }},
        {"Cos", [](T a) { return std::cos(a); }},
        {"Tan", [](T a) { return std::tan(a); }},
        {"Tanh", [](T a) { return std::tanh(a); }},
        {"Erf", [](T a) { return std::erf(a); }},
        {"Reciprocal", [](T a) { return 1 / a; }},
        {"Sigmoid", [](T a) { return 1 / (1 + std::exp(-a)); }},
        {"Relu", [](T a) { return a > 0 ? a : (std::isnan(a) ? a : T(0)); }}};
    return table;
}

template <typename T>
const Table<Unary<T>>& unaries() {
    if constexpr (std::is_same_v<T, int64_t>)
        return integerUnaries();
    else
        return floatUnaries<T>();
}

/// Runs `compute<T>` in the arithmetic of `type`.
template <typename Compute>
std::vector<Tensor> inArithmeticOf(DataType type, Compute compute) {
    switch (arithmeticOf(type)) {
    case Arithmetic::Int:
        return compute(int64_t{});
    case Arithmetic::Float:
        return compute(float{});
    case Arithmetic::Double:
        return compute(double{});
    case Arithmetic::None:
        break;
    }
    return {};
}

template <typename T>
std::vector<T> operand(const NodeContext& ctx, std::size_t input, const Shape& shape) {
    return load<T>(broadcastTo(*ctx.constant(input), shape));
}

template <typename Function>
Function lookUp(const Table<Function>& table, const std::string& op) {
    const auto it = table.find(op);
    return it == table.end() ? nullptr : it->second;
}

/// The type in which a node computes: that of its inputs, which must agree.
DataType commonType(const NodeContext& ctx) {
    for (std::size_t i = 1; i < ctx.inputCount(); ++i)
        if (ctx.type(i) != ctx.type(0))
            return DataType::Undefined;
    return ctx.type(0);
}

template <typename T>
std::vector<Tensor> computeBinary(const NodeContext& ctx, const TensorFact& output) {
    const std::string& op = ctx.node.op;
    const bool fmod = op == "Mod" && ctx.node.intAttr("fmod", 0) != 0;
    const Binary<T> function = lookUp(binaries<T>(), fmod ? "fmod" : op);
    if (!function)
        return {};
    std::vector<T> result = operand<T>(ctx, 0, *output.shape);
    for (std::size_t i = 1; i < ctx.inputCount(); ++i) {
        const std::vector<T> other = operand<T>(ctx, i, *output.shape);
        if constexpr (std::is_same_v<T, int64_t>)
            if ((op == "Div" || op == "Mod") && std::count(other.begin(), other.end(), 0) != 0)
                return {};
        std::transform(result.begin(), result.end(), other.begin(), result.begin(), function);
    }
    return {store(output.type, *output.shape, result)};
}

std::vector<Tensor> binary(const NodeContext& ctx, const std::vector<TensorFact>& outputs) {
    const bool power = ctx.node.op == "Pow";
    DataType type = commonType(ctx);
    if (power && type == DataType::Undefined && ctx.type(0) == DataType::Float)
        type = DataType::Float;
    return inArithmeticOf(
        type, [&](auto zero) { return computeBinary<decltype(zero)>(ctx, outputs.front()); });
}

std::vector<Tensor> relation(const NodeContext& ctx, const std::vector<TensorFact>& outputs) {
    const TensorFact& output = outputs.front();
    return inArithmeticOf(commonType(ctx), [&](auto zero) {
        using T = decltype(zero);
        const Relation<T> holds = lookUp(relations<T>(), ctx.node.op);
        const std::vector<T> a = operand<T>(ctx, 0, *output.shape);
        const std::vector<T> b = operand<T>(ctx, 1, *output.shape);
        std::vector<int64_t> result(a.size());
        for (std::size_t i = 0; i < a.size(); ++i)
            result[i] = holds(a[i], b[i]);
        return std::vector<Tensor>{store(DataType::Bool, *output.shape, result)};
    });
}

std::vector<Tensor> unary(const NodeContext& ctx, const std::vector<TensorFact>& outputs) {
    return inArithmeticOf(ctx.type(0), [&](auto zero) -> std::vector<Tensor> {
        using T = decltype(zero);
        const Unary<T> function = lookUp(unaries<T>(), ctx.node.op);
        if (!function)
            return {};
        std::vector<T> values = load<T>(*ctx.constant(0));
        std::transform(values.begin(), values.end(), values.begin(), function);
        return {store(outputs.front().type, *outputs.front().shape, values)};
    });
}

std::vector<Tensor> cast(const NodeContext& ctx, const std::vector<TensorFact>& outputs) {
    const Tensor& input = *ctx.constant(0);
    const TensorFact& output = outputs.front();
    if (input.type == output.type)
        return {input};
    if (elementSize(input.type) == 0)
        return {};
    if (output.type == DataType::Float)
        return {store(output.type, *output.shape, input.floats())};
    if (output.type == DataType::Double)
        return {store(output.type, *output.shape, input.doubles())};
    if (arithmeticOf(output.type) != Arithmetic::Int)
        return {};
    if (output.type != DataType::Bool)
        return {store(output.type, *output.shape, input.ints())};
    const std::vector<double> values = input.doubles();
    std::vector<int64_t> result(values.size());
    std::transform(values.begin(), values.end(), result.begin(),
                   [](double value) { return value != 0; });
    return {store(output.type, *output.shape, result)};
}

std::vector<Tensor> where(const NodeContext& ctx, const std::vector<TensorFact>& outputs) {
    const Shape& shape = *outputs.front().shape;
    const std::size_t size = elementSize(ctx.type(1));
    if (size == 0 || ctx.type(1) != ctx.type(2) || ctx.type(0) != DataType::Bool)
        return {};
    const Tensor condition = broadcastTo(*ctx.constant(0), shape);
    Tensor result = broadcastTo(*ctx.constant(1), shape);
    const Tensor other = broadcastTo(*ctx.constant(2), shape);
    for (std::size_t i = 0; i < condition.data.size(); ++i)
        if (condition.data[i] == 0)
            std::memcpy(&result.data[i * size], &other.data[i * size], size);
    return {std::move(result)};
}

std::vector<Tensor> clip(const NodeContext& ctx, const std::vector<TensorFact>& outputs) {
    for (std::size_t i = 1; i < ctx.inputCount(); ++i)
        if (const Tensor* bound = ctx.constant(i); bound && bound->count() != 1)
            ctx.fail("bounds must be single numbers");
    return inArithmeticOf(ctx.type(0), [&](auto zero) {
        using T = decltype(zero);
        std::vector<T> values = load<T>(*ctx.constant(0));
        const auto bound = [&](std::size_t input, auto choose) {
            if (!ctx.constant(input))
                return;
            const T limit = load<T>(*ctx.constant(input)).front();
            for (T& value : values)
                value = choose(value, limit);
        };
        bound(1, [](T value, T limit) { return std::max(value, limit); });
        bound(2, [](T value, T limit) { return std::min(value, limit); });
        return std::vector<Tensor>{store(outputs.front().type, *outputs.front().shape, values)};
    });
}

} // namespace

void addElementwiseEvaluation(EvaluateRules& rules) {
    for (const char* op : {"Add", "And", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "Div", "Max",
                           "Min", "Mod", "Mul", "Or", "Pow", "Sub", "Sum", "Xor"})
        rules[op] = binary;
    for (const char* op : {"Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"})
        rules[op] = relation;
    for (const char* op :
         {"Abs", "BitwiseNot", "Ceil", "Cos", "Erf", "Exp", "Floor", "Log", "Neg", "Not",
          "Reciprocal", "Relu", "Round", "Sigmoid", "Sign", "Sin", "Sqrt", "Tan", "Tanh"})
        rules[op] = unary;
    for (const char* op : {"Cast", "CastLike"})
        rules[op] = cast;
    rules["Where"] = where;
    rules["Clip"] = clip;
}

} // namespace irmb::onnx
