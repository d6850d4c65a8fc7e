#include "support/random_irmb.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <layer/node_attributes.hpp>
#include <onnx/fold/specialise.hpp>
#include <onnx/irmb/custom_node.hpp>
#include <onnx/irmb/fuse_irmb.hpp>
#include <onnx/irmb/match_activation.hpp>

namespace irmb::onnx {
namespace {

using Outcome = BlockReport::Outcome;

/// A graph with one custom node, x to y.
OnnxModel blockModel(const IrmbParams& params, const IrmbWeights& weights, const Shape& x,
                     int64_t opset, Facts& facts) {
    OnnxModel model;
    model.opsets[""] = opset;
    model.graph.inputs.push_back({"x", DataType::Float, true, x});
    model.graph.outputs.push_back({"y", DataType::Float, false, {}});
    model.graph.nodes.push_back(makeIrmb(model, facts, "x", "y", params, weights));
    facts = specialise(model, {{"x", x}});
    return model;
}

using test::maxDifference;

void expectSameWeights(const IrmbParams& params, const IrmbWeights& a, const IrmbWeights& b) {
    for (const WeightSlot& slot : weightSlots(params))
        EXPECT_LT(maxDifference(a.*slot.member, b.*slot.member), 1e-6) << slot.name;
}

/// A block without attention that has neither residuals nor a norm is any inverted residual, and
/// an activation that acts on nothing cannot be found again.
bool isRecognisable(const IrmbParams& params) {
    if (params.attention || params.has_skip)
        return true;
    return params.norm != Norm::None && params.v_proj;
}

class RoundTrip : public testing::TestWithParam<int> {};

TEST_P(RoundTrip, ExpandedBlockIsFoundWithItsParametersAndWeights) {
    cv::RNG rng(1000 + GetParam());
    const IrmbParams params = test::randomParams(rng);
    const IrmbWeights weights = test::randomWeights(params, rng);
    const Shape sizes[] = {{2, params.dim_in, 7, 7},
                           {1, params.dim_in, 6, 5},
                           {1, params.dim_in, 13, 17},
                           {3, params.dim_in, 20, 10}};
    const Shape x = sizes[GetParam() % 4];
    SCOPED_TRACE(test::describe(params) + " " + toString(x));

    Facts facts;
    OnnxModel model = blockModel(params, weights, x, GetParam() % 2 ? 13 : 18, facts);
    ASSERT_EQ(expandIrmbs(model, facts), 1);
    for (const Node& node : model.graph.nodes)
        ASSERT_FALSE(isIrmb(node));
    simplify(model, facts);
    const FusionReport report = fuseIrmbs(model, facts, true);
    if (!isRecognisable(params)) {
        EXPECT_TRUE(report.blocks.empty());
        return;
    }
    ASSERT_EQ(report.blocks.size(), 1u);
    EXPECT_EQ(report.blocks[0].outcome, Outcome::Whole) << report.blocks[0].reason;
    ASSERT_EQ(model.graph.nodes.size(), 1u);
    ASSERT_TRUE(isIrmb(model.graph.nodes[0]));

    const auto [found, found_weights] = readIrmb(model.graph, model.graph.nodes[0], params.dim_in);
    EXPECT_EQ(found.norm, params.norm);
    EXPECT_EQ(found.dim_mid, params.dim_mid);
    EXPECT_EQ(found.dim_out, params.dim_out);
    EXPECT_EQ(found.has_skip, params.has_skip);
    EXPECT_EQ(found.dw_ks, params.dw_ks);
    EXPECT_EQ(found.stride, params.stride);
    EXPECT_EQ(found.dilation, params.dilation);
    EXPECT_EQ(found.se_channels, params.se_channels);
    EXPECT_EQ(found.attention, params.attention);
    if (params.attention) {
        EXPECT_EQ(found.dim_head, params.dim_head);
        EXPECT_EQ(found.attn_pre, params.attn_pre);
    }
    if (params.hasVConv() || params.se_channels > 0) {
        EXPECT_EQ(found.act, params.act);
    }
    expectSameWeights(params, weights, found_weights);
}

INSTANTIATE_TEST_SUITE_P(RandomGrid, RoundTrip, testing::Range(0, 200));

/// y = op(x), and the activation found for y.
std::optional<ActivationMatch> activationOf(std::vector<Node> nodes,
                                            std::map<std::string, Tensor> constants) {
    OnnxModel model;
    model.opsets[""] = 20;
    model.graph.inputs.push_back({"x", DataType::Float, true, {1, 4, 2, 2}});
    model.graph.outputs.push_back({"y", DataType::Float, false, {}});
    model.graph.nodes = std::move(nodes);
    model.graph.initializers = std::move(constants);
    const Facts facts = inferFacts(model);
    const GraphView view(model, facts);
    return matchActivation(view, "y");
}

TEST(MatchActivation, FindsThreeSpellingsOfHardSwish) {
    const std::map<std::string, Tensor> constants = {{"three", Tensor::scalar(3)},
                                                     {"zero", Tensor::scalar(0)},
                                                     {"six", Tensor::scalar(6)},
                                                     {"sixth", Tensor::scalar(1.f / 6)}};
    const std::vector<std::vector<Node>> spellings = {
        {{"HardSwish", "", "", {"x"}, {"y"}, {}}},
        {{"HardSigmoid", "", "", {"x"}, {"s"}, {{"alpha", 1.f / 6}, {"beta", 0.5f}}},
         {"Mul", "", "", {"x", "s"}, {"y"}, {}}},
        {{"Add", "", "", {"three", "x"}, {"a"}, {}},
         {"Clip", "", "", {"a", "zero", "six"}, {"c"}, {}},
         {"Mul", "", "", {"c", "x"}, {"m"}, {}},
         {"Mul", "", "", {"m", "sixth"}, {"y"}, {}}}};
    for (const auto& nodes : spellings) {
        const auto match = activationOf(nodes, constants);
        ASSERT_TRUE(match.has_value());
        EXPECT_EQ(match->act, Activation::HardSwish);
        EXPECT_EQ(match->source, "x");
    }
}

TEST(MatchActivation, FindsAGeluWhoseConstantWasRoundedToHalfPrecision) {
    const std::map<std::string, Tensor> constants = {{"root2", Tensor::scalar(1.4140625f)},
                                                     {"one", Tensor::scalar(1)},
                                                     {"half", Tensor::scalar(0.5f)}};
    const auto match = activationOf({{"Div", "", "", {"x", "root2"}, {"d"}, {}},
                                     {"Erf", "", "", {"d"}, {"e"}, {}},
                                     {"Add", "", "", {"e", "one"}, {"a"}, {}},
                                     {"Mul", "", "", {"x", "a"}, {"m"}, {}},
                                     {"Mul", "", "", {"m", "half"}, {"y"}, {}}},
                                    constants);
    ASSERT_TRUE(match.has_value());
    EXPECT_EQ(match->act, Activation::Gelu);
    EXPECT_EQ(match->gain, 1);
}

TEST(MatchActivation, FindsAHardSigmoidWhoseSummandWentIntoTheConvolutionInFront) {
    const auto match = activationOf({{"Clip", "", "", {"x", "zero", "six"}, {"c"}, {}},
                                     {"Div", "", "", {"c", "six"}, {"y"}, {}}},
                                    {{"zero", Tensor::scalar(0)}, {"six", Tensor::scalar(6)}});
    ASSERT_TRUE(match.has_value());
    EXPECT_EQ(match->act, Activation::HardSigmoid);
    EXPECT_EQ(match->source, "x");
    EXPECT_EQ(match->offset, -3);
}

TEST(MatchActivation, DoesNotTakeALookAlikeForAnActivation) {
    EXPECT_FALSE(activationOf({{"Elu", "", "", {"x"}, {"e"}, {{"alpha", 1.f}}},
                               {"Relu", "", "", {"x"}, {"r"}, {}},
                               {"Sub", "", "", {"r", "e"}, {"y"}, {}}},
                              {})
                     .has_value());
    EXPECT_FALSE(activationOf({{"Clip", "", "", {"x", "zero", "five"}, {"y"}, {}}},
                              {{"zero", Tensor::scalar(0)}, {"five", Tensor::scalar(5)}})
                     .has_value());
}

TEST(FuseIrmbs, CountsCustomNodesAndLeavesThemAlone) {
    cv::RNG rng(7);
    IrmbParams params;
    params.dim_in = params.dim_mid = params.dim_out = 16;
    Facts facts;
    OnnxModel model =
        blockModel(params, test::randomWeights(params, rng), {1, 16, 9, 9}, 13, facts);
    const FusionReport report = fuseIrmbs(model, facts, true);
    ASSERT_EQ(report.blocks.size(), 1u);
    EXPECT_EQ(report.blocks[0].outcome, Outcome::Whole);
    EXPECT_EQ(report.blocks[0].dim_in, 16);
    EXPECT_EQ(report.blocks[0].height, 9);
}

TEST(FuseIrmbs, OnlyReportsWhenFusionIsOff) {
    cv::RNG rng(8);
    IrmbParams params;
    params.dim_in = params.dim_mid = params.dim_out = 16;
    Facts facts;
    OnnxModel model =
        blockModel(params, test::randomWeights(params, rng), {1, 16, 9, 9}, 13, facts);
    expandIrmbs(model, facts);
    const std::size_t before = model.graph.nodes.size();
    const FusionReport report = fuseIrmbs(model, facts, false);
    ASSERT_EQ(report.blocks.size(), 1u);
    EXPECT_EQ(report.blocks[0].outcome, Outcome::Unfused);
    EXPECT_EQ(model.graph.nodes.size(), before);
}

/// A block without residuals whose crop is missing, as an export traced at 7x7 has it.
OnnxModel uncroppedModel(const Shape& x, Facts& facts) {
    cv::RNG rng(9);
    IrmbParams params;
    params.dim_in = params.dim_mid = params.dim_out = 16;
    params.has_skip = false;
    OnnxModel model = blockModel(params, test::randomWeights(params, rng), x, 13, facts);
    expandIrmbs(model, facts);
    std::vector<Node>& nodes = model.graph.nodes;
    for (Node& node : nodes)
        if (node.is("Slice"))
            for (Node& reader : nodes)
                std::replace(reader.inputs.begin(), reader.inputs.end(), node.outputs[0],
                             std::string(node.inputs[0]));
    removeDead(model.graph);
    facts = inferFacts(model);
    simplify(model, facts);
    return model;
}

TEST(CheckTracedSize, RefusesABlockThatPadsAndNeverCrops) {
    Facts facts;
    OnnxModel model = uncroppedModel({1, 16, 9, 11}, facts);
    try {
        checkTracedSize(model, facts);
        FAIL() << "not refused";
    } catch (const cv::Exception& error) {
        EXPECT_NE(error.err.find("11x9 and never crops it"), std::string::npos) << error.err;
    }
    EXPECT_TRUE(fuseIrmbs(model, facts, true).blocks.empty());
}

TEST(CheckTracedSize, AcceptsTheSameBlockAtASizeThatItsWindowsDivide) {
    Facts facts;
    OnnxModel model = uncroppedModel({1, 16, 14, 7}, facts);
    EXPECT_NO_THROW(checkTracedSize(model, facts));
    EXPECT_EQ(fuseIrmbs(model, facts, true).whole(), 1);
}

} // namespace
} // namespace irmb::onnx
