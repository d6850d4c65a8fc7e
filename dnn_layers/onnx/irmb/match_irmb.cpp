#include "match_irmb.hpp"

#include "match_activation.hpp"
#include "match_attention.hpp"
#include "match_conv.hpp"
#include "match_local_branch.hpp"

#include <algorithm>
#include <set>

namespace irmb::onnx {
namespace {

using Outcome = BlockReport::Outcome;

/// Takes the whole block from its local branch.
void takeBlock(const LocalBranchMatch& local, IrmbMatch& match) {
    match.params = local.params;
    match.weights = local.weights;
    match.output = local.output;
}

/// Whether the projection of a branch without the inner residual is added to `input` all the same.
bool addsInputAfterAll(const GraphView& view, const LocalBranchMatch& local,
                       const std::string& input) {
    for (const int reader : view.links().consumers(local.output)) {
        const Node& node = view.node(reader);
        if (node.is("Add") && (node.inputs[0] == input || node.inputs[1] == input))
            return true;
    }
    return false;
}

/// Why `local` cannot complete the block that reads `match.input`; empty when it can.
std::string joinLocalBranch(const GraphView& view, const LocalBranchMatch& local,
                            const IrmbMatch& match) {
    if (!local.mismatch.empty())
        return local.mismatch;
    if (local.params.has_skip && local.skip != match.input)
        return "its outer residual does not add the block's input";
    if (!local.params.has_skip && addsInputAfterAll(view, local, match.input))
        return "it has the outer residual without the inner one";
    return {};
}

/// Runs the checks of the layer on what was found. They guard against files whose operators agree
/// with each other but not with an iRMB.
std::string objections(const IrmbMatch& match) {
    try {
        checkParams(match.params, match.report.name);
        checkWeights(match.params, match.weights, match.report.name);
    } catch (const cv::Exception& error) {
        return error.err;
    }
    return {};
}

IrmbMatch matchWithAttention(const GraphView& view, const AttentionMatch& attention) {
    IrmbMatch match;
    match.params = attention.params;
    match.weights = attention.weights;
    match.input = attention.norm.source;
    match.output = attention.output;
    match.report.dim_in = attention.params.dim_in;
    match.report.height = attention.height;
    match.report.width = attention.width;

    const LocalBranchMatch local =
        matchLocalBranch(view, attention.output, match.params, match.weights);
    match.report.reason = joinLocalBranch(view, local, match);
    match.report.outcome = match.report.reason.empty() ? Outcome::Whole : Outcome::Core;
    if (match.report.outcome == Outcome::Whole)
        takeBlock(local, match);
    if (!attention.obstacle.empty()) {
        match.report.outcome = Outcome::Unfused;
        match.report.reason = attention.obstacle;
    }
    match.report.name = match.output;
    return match;
}

/// A block without attention, from its depthwise convolution: y = act(conv_v(norm(x))) or norm(x).
/// Without its residuals and without a norm it would be any inverted residual: leave that alone.
std::optional<IrmbMatch> matchWithoutAttention(const GraphView& view, const std::string& y) {
    const Shape* shape = view.shape(y);
    if (!shape || shape->size() != 4)
        return std::nullopt;
    IrmbMatch match;
    IrmbParams& params = match.params;
    params.attention = false;
    params.dim_mid = static_cast<int>((*shape)[1]);

    std::string base = y;
    const auto act = matchActivation(view, y);
    auto v = act ? matchConv(view, act->source) : std::nullopt;
    params.v_proj = v && v->isPointwise() && v->groups == 1;
    params.act = Activation::None;
    if (params.v_proj) {
        addToBias(*v, act->offset);
        params.act = act->act;
        params.v_bias = !v->bias.empty();
        match.weights.v_weight = v->weight;
        match.weights.v_bias = v->bias;
        match.weights.v_slope = act->slope;
        base = v->input;
    }
    const auto norm = matchNorm(view, base, false);
    const Shape* base_shape = view.shape(base);
    if (!norm || !base_shape || base_shape->size() != 4)
        return std::nullopt;
    params.dim_in = static_cast<int>((*base_shape)[1]);
    params.norm = norm->norm;
    params.norm_eps = norm->eps;
    params.norm_groups = norm->groups;
    match.weights.norm_scale = norm->scale;
    match.weights.norm_shift = norm->shift;
    match.input = norm->source;
    match.report.dim_in = params.dim_in;
    match.report.height = static_cast<int>((*shape)[2]);
    match.report.width = static_cast<int>((*shape)[3]);
    const LocalBranchMatch local = matchLocalBranch(view, y, params, match.weights);
    if (!joinLocalBranch(view, local, match).empty())
        return std::nullopt;
    if (!local.params.has_skip && (params.norm == Norm::None || !params.v_proj))
        return std::nullopt;
    takeBlock(local, match);
    match.report.outcome = Outcome::Whole;
    match.report.name = match.output;
    return match;
}

void settle(IrmbMatch& match) {
    if (match.report.outcome == Outcome::Unfused)
        return;
    if (const std::string objection = objections(match); !objection.empty()) {
        match.report.outcome = Outcome::Unfused;
        match.report.reason = objection;
    }
}

} // namespace

std::vector<IrmbMatch> matchIrmbs(const GraphView& view) {
    std::vector<std::pair<int, IrmbMatch>> found;
    std::set<std::string> attended; // maps whose depthwise convolution is accounted for
    const int count = static_cast<int>(view.graph().nodes.size());
    for (int i = 0; i < count; ++i) {
        if (!view.node(i).is("Softmax"))
            continue;
        const auto attention = matchAttention(view, i);
        if (attention && attention->cropped) {
            attended.insert(attention->output);
            found.emplace_back(i, matchWithAttention(view, *attention));
        }
    }
    for (int i = 0; i < count; ++i) {
        const Node& node = view.node(i);
        if (!node.is("Conv") || attended.count(node.inputs[0]) > 0)
            continue;
        const auto conv = matchConvNode(view, i);
        if (!conv || !conv->isDepthwise())
            continue;
        if (auto match = matchWithoutAttention(view, conv->input))
            found.emplace_back(i, std::move(*match));
    }
    std::stable_sort(found.begin(), found.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<IrmbMatch> matches;
    for (auto& [place, match] : found) {
        settle(match);
        matches.push_back(std::move(match));
    }
    return matches;
}

} // namespace irmb::onnx
