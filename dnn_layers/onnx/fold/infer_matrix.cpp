#include "infer.hpp"
#include "shape_rules.hpp"

#include <algorithm>
#include <cctype>

namespace irmb::onnx {

namespace {

[[noreturn]] void mismatch(const NodeContext& ctx, const Shape& a, const Shape& b) {
    ctx.fail("cannot multiply " + toString(a) + " by " + toString(b));
}

std::vector<TensorFact> matMul(const NodeContext& ctx) {
    TensorFact result{ctx.type(0), std::nullopt};
    if (!ctx.shape(0) || !ctx.shape(1))
        return {result};
    Shape a = *ctx.shape(0);
    Shape b = *ctx.shape(1);
    if (a.empty() || b.empty())
        mismatch(ctx, a, b);
    // A vector counts as one row on the left and one column on the right; that axis goes again.
    const bool row = a.size() == 1;
    const bool column = b.size() == 1;
    if (row)
        a.insert(a.begin(), 1);
    if (column)
        b.push_back(1);
    if (a.back() != b[b.size() - 2])
        mismatch(ctx, a, b);
    Shape output = broadcast(ctx, Shape(a.begin(), a.end() - 2), Shape(b.begin(), b.end() - 2));
    if (!row)
        output.push_back(a[a.size() - 2]);
    if (!column)
        output.push_back(b.back());
    result.shape = output;
    return {result};
}

std::vector<TensorFact> gemm(const NodeContext& ctx) {
    TensorFact result{ctx.type(0), std::nullopt};
    if (!ctx.shape(0) || !ctx.shape(1))
        return {result};
    Shape a = *ctx.shape(0);
    Shape b = *ctx.shape(1);
    if (a.size() != 2 || b.size() != 2)
        mismatch(ctx, a, b);
    if (ctx.node.intAttr("transA", 0) != 0)
        std::swap(a[0], a[1]);
    if (ctx.node.intAttr("transB", 0) != 0)
        std::swap(b[0], b[1]);
    if (a[1] != b[0])
        mismatch(ctx, a, b);
    const Shape output{a[0], b[1]};
    if (ctx.shape(2) && broadcast(ctx, output, *ctx.shape(2)) != output)
        ctx.fail("a bias of " + toString(*ctx.shape(2)) + " does not fit " + toString(output));
    result.shape = output;
    return {result};
}

/// "bhid,bhjd->bhij" in parts; the output is the sorted labels that occur once where it is implied.
struct Equation {
    std::vector<std::string> inputs;
    std::string output;
};

Equation parseEquation(std::string text) {
    text.erase(std::remove_if(text.begin(), text.end(),
                              [](unsigned char c) { return std::isspace(c) != 0; }),
               text.end());
    const std::size_t arrow = text.find("->");
    const std::string left = text.substr(0, arrow);
    Equation equation;
    std::size_t begin = 0;
    for (std::size_t comma; (comma = left.find(',', begin)) != std::string::npos; begin = comma + 1)
        equation.inputs.push_back(left.substr(begin, comma - begin));
    equation.inputs.push_back(left.substr(begin));
    if (arrow != std::string::npos) {
        equation.output = text.substr(arrow + 2);
        return equation;
    }
    std::string labels = left;
    std::sort(labels.begin(), labels.end());
    for (const char label : labels)
        if (label != ',' && std::count(labels.begin(), labels.end(), label) == 1)
            equation.output += label;
    return equation;
}

std::vector<TensorFact> einsum(const NodeContext& ctx) {
    TensorFact result{ctx.type(0), std::nullopt};
    const std::string text = ctx.node.stringAttr("equation", "");
    if (text.size() > 1024 || text.find('.') != std::string::npos)
        return {result};
    const Equation equation = parseEquation(text);
    if (equation.inputs.size() != ctx.inputCount())
        ctx.fail("equation " + text + " does not fit " + std::to_string(ctx.inputCount()) +
                 " inputs");
    std::map<char, int64_t> sides;
    for (std::size_t i = 0; i < ctx.inputCount(); ++i) {
        const Shape* shape = ctx.shape(i);
        if (!shape)
            return {result};
        if (shape->size() != equation.inputs[i].size())
            ctx.fail("equation " + text + " does not fit an input of " + toString(*shape));
        for (std::size_t d = 0; d < shape->size(); ++d) {
            int64_t& side = sides.emplace(equation.inputs[i][d], 1).first->second;
            if (side != 1 && (*shape)[d] != 1 && side != (*shape)[d])
                ctx.fail("equation " + text + " does not fit an input of " + toString(*shape));
            side = side == 1 ? (*shape)[d] : side;
        }
    }
    Shape output;
    for (const char label : equation.output) {
        if (!sides.count(label))
            ctx.fail("equation " + text + " makes an axis out of nothing");
        output.push_back(sides[label]);
    }
    result.shape = output;
    return {result};
}

} // namespace

void addMatrixRules(InferRules& rules) {
    rules["MatMul"] = matMul;
    rules["Gemm"] = gemm;
    rules["Einsum"] = einsum;
}

} // namespace irmb::onnx
