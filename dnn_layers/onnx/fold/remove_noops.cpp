#include "rewrites.hpp"
#include "shape_rules.hpp"

#include <algorithm>

namespace irmb::onnx {

namespace {

bool keepsShape(const NodeContext& ctx, const TensorFact& output, std::size_t input = 0) {
    const Shape* shape = ctx.shape(input);
    return shape && output.shape && *shape == *output.shape && ctx.type(input) == output.type;
}

bool isNumber(const NodeContext& ctx, std::size_t input, double number) {
    const Tensor* constant = ctx.constant(input);
    return constant && constant->count() == 1 && elementSize(constant->type) > 0 &&
           constant->doubles().front() == number;
}

bool padsNothing(const NodeContext& ctx) {
    const Shape* x = ctx.shape(0);
    const auto padding = x ? padAmounts(ctx, x->size()) : std::nullopt;
    const auto zero = [](int64_t pad) { return pad == 0; };
    return padding && std::all_of(padding->before.begin(), padding->before.end(), zero) &&
           std::all_of(padding->after.begin(), padding->after.end(), zero);
}

bool slicesAll(const NodeContext& ctx) {
    const Shape* x = ctx.shape(0);
    const auto ranges = x ? sliceRanges(ctx, *x) : std::nullopt;
    for (std::size_t i = 0; ranges && i < x->size(); ++i) {
        const Range& range = (*ranges)[i];
        if (range.count != (*x)[i] || (range.step != 1 && range.count > 1))
            return false;
    }
    return ranges.has_value();
}

bool keepsOrder(const NodeContext& ctx) {
    const std::vector<int64_t> order = ctx.node.intsAttr("perm");
    return !order.empty() && std::is_sorted(order.begin(), order.end());
}

bool isAlone(const NodeContext& ctx) {
    return ctx.node.inputs.size() == 1 && ctx.node.outputs.size() == 1;
}

bool hasOneOutput(const NodeContext& ctx) {
    return ctx.node.outputs.size() == 1;
}

bool always(const NodeContext&) {
    return true;
}

/// A resize by exactly 1 samples each pixel at its own place, in every mode.
bool resizesByOne(const NodeContext& ctx) {
    if (ctx.node.stringAttr("coordinate_transformation_mode", "") == "tf_crop_and_resize")
        return false;
    const Tensor* scales = ctx.constant(2);
    if (!scales || scales->count() == 0)
        return ctx.node.hasInput(3);
    const std::vector<float> factors = scales->floats();
    return std::all_of(factors.begin(), factors.end(), [](float f) { return f == 1.f; });
}

bool dropsNothing(const NodeContext& ctx) {
    const bool mask = ctx.node.outputs.size() > 1 && !ctx.node.outputs[1].empty();
    const bool training = ctx.node.hasInput(2) && !isNumber(ctx, 2, 0);
    return !mask && !training;
}

/// The input that an arithmetic node with a neutral number passes on.
std::optional<std::size_t> besideNeutral(const NodeContext& ctx) {
    const Node& node = ctx.node;
    const double neutral = node.is("Add") || node.is("Sub") ? 0 : 1;
    if (isNumber(ctx, 1, neutral))
        return 0;
    if ((node.is("Add") || node.is("Mul")) && isNumber(ctx, 0, neutral))
        return 1;
    return std::nullopt;
}

/// Operators that pass their first input on if type and shape stay and the test holds.
using Test = bool (*)(const NodeContext& ctx);
const std::unordered_map<std::string, Test>& idleTests() {
    static const std::unordered_map<std::string, Test> tests = {
        {"Cast", always},      {"CastLike", always},      {"Reshape", always},
        {"Expand", always},    {"Flatten", always},       {"Squeeze", always},
        {"Unsqueeze", always}, {"Tile", always},          {"Concat", isAlone},
        {"Sum", isAlone},      {"Mean", isAlone},         {"Max", isAlone},
        {"Min", isAlone},      {"Split", hasOneOutput},   {"Pad", padsNothing},
        {"Slice", slicesAll},  {"Transpose", keepsOrder}, {"Resize", resizesByOne}};
    return tests;
}

bool isArithmetic(const Node& node) {
    return node.is("Add") || node.is("Sub") || node.is("Mul") || node.is("Div") || node.is("Pow");
}

/// The input that the first output of the node always equals.
std::optional<std::size_t> passedInput(const NodeContext& ctx, const Facts& facts) {
    const Node& node = ctx.node;
    if (!node.domain.empty() || node.outputs.empty() || !node.hasInput(0))
        return std::nullopt;
    if (node.op == "Identity" || (node.op == "Dropout" && dropsNothing(ctx)))
        return 0;
    const auto fact = facts.find(node.outputs.front());
    if (fact == facts.end())
        return std::nullopt;
    if (isArithmetic(node)) {
        const auto input = besideNeutral(ctx);
        return input && keepsShape(ctx, fact->second, *input) ? input : std::nullopt;
    }
    const auto test = idleTests().find(node.op);
    if (test == idleTests().end() || !keepsShape(ctx, fact->second) || !test->second(ctx))
        return std::nullopt;
    return 0;
}

using Names = std::unordered_map<std::string, std::string>;

void replaceNames(std::vector<std::string>& names, const Names& replacements) {
    for (std::string& name : names)
        if (const auto it = replacements.find(name); it != replacements.end())
            name = it->second;
}

/// A node stands between `from` and the graph output `to`: may its producer write `to` itself?
bool mayRename(const std::string& from, const Names& renamed, const Links& links) {
    return links.producer(from) >= 0 && !links.isOutput(from) && renamed.count(from) == 0;
}

Node identity(const Node& node, const std::string& from) {
    Node result;
    result.op = "Identity";
    result.name = node.name;
    result.inputs = {from};
    result.outputs = {node.outputs.front()};
    return result;
}

} // namespace

void removeNoOps(OnnxModel& model, Facts& facts) {
    Graph& graph = model.graph;
    const Links links(graph);
    const Constants constants = initializersOf(graph);
    Names stand_ins; // dropped tensor -> the one that equals it
    Names renamed;   // tensor -> the graph output that its producer writes instead
    std::vector<Node> kept;
    for (Node& node : graph.nodes) {
        replaceNames(node.inputs, stand_ins);
        const auto input = passedInput(NodeContext(node, model.opset(), facts, constants), facts);
        if (!input) {
            kept.push_back(std::move(node));
            continue;
        }
        const std::string from = node.inputs[*input];
        const std::string to = node.outputs.front();
        if (!links.isOutput(to))
            stand_ins[to] = from;
        else if (mayRename(from, renamed, links))
            renamed[from] = to;
        else
            kept.push_back(identity(node, from));
    }
    for (Node& node : kept) {
        replaceNames(node.inputs, renamed);
        replaceNames(node.outputs, renamed);
    }
    graph.nodes = std::move(kept);
}

} // namespace irmb::onnx
