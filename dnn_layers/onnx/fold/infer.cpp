#include "infer.hpp"

#include "shape_rules.hpp"

namespace irmb::onnx {

namespace {

const InferRules& rules() {
    static const InferRules table = [] {
        InferRules all;
        addElementwiseRules(all);
        addWindowRules(all);
        addMovementRules(all);
        addIndexingRules(all);
        addMatrixRules(all);
        addReductionRules(all);
        return all;
    }();
    return table;
}

} // namespace

std::vector<TensorFact> inferOutputs(const NodeContext& ctx) {
    std::vector<TensorFact> facts;
    if (ctx.node.domain.empty()) {
        const auto rule = rules().find(ctx.node.op);
        if (rule != rules().end())
            facts = rule->second(ctx);
    } else if (ctx.node.domain == "irmb" && ctx.node.op == "iRMB") {
        facts = inferIrmb(ctx);
    }
    facts.resize(ctx.node.outputs.size());
    for (const TensorFact& fact : facts)
        if (fact.shape && !isPlausible(*fact.shape))
            ctx.fail("an output of " + toString(*fact.shape) + " is impossible");
    return facts;
}

void forgetDead(const Graph& graph, Facts& facts) {
    Facts kept;
    const auto keep = [&](const std::string& name) {
        if (const auto it = facts.find(name); it != facts.end())
            kept[name] = std::move(it->second);
    };
    for (const ValueInfo& input : graph.inputs)
        keep(input.name);
    for (const auto& [name, tensor] : graph.initializers)
        keep(name);
    for (const Node& node : graph.nodes)
        for (const std::string& output : node.outputs)
            keep(output);
    facts = std::move(kept);
}

std::vector<TensorFact> inferIrmb(const NodeContext& ctx) {
    TensorFact result{ctx.type(0), std::nullopt};
    const Shape* x = ctx.shape(0);
    if (!x)
        return {result};
    if (x->size() != 4)
        ctx.fail("the input must be [B, C, H, W], not " + toString(*x));
    if (ctx.node.stringAttr("part", "block") == "attention") {
        result.shape = Shape{(*x)[0], ctx.extent("dim_mid", (*x)[1]), (*x)[2], (*x)[3]};
        return {result};
    }
    const int64_t kernel = ctx.extent("dw_ks", 3);
    const int64_t stride = ctx.extent("stride", 1);
    const int64_t reach = ctx.extent("dilation", 1) * (kernel - 1) + 1;
    const int64_t padding = kernel > stride ? (kernel - stride + 1) / 2 : 0;
    if (kernel < 1 || stride < 1 || reach < 1)
        ctx.fail("dw_ks, stride and dilation must be positive");
    const auto side = [&](int64_t extent) {
        if (extent + 2 * padding < reach)
            ctx.fail("the depthwise kernel does not fit into a map of " + toString(*x));
        return (extent + 2 * padding - reach) / stride + 1;
    };
    result.shape = Shape{(*x)[0], ctx.extent("dim_out", (*x)[1]), side((*x)[2]), side((*x)[3])};
    return {result};
}

} // namespace irmb::onnx
