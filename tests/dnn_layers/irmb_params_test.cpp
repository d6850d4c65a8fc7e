#include "layer/flops.hpp"
#include "layer/node_attributes.hpp"
#include "support/expect_words.hpp"
#include "support/random_irmb.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

namespace irmb {
namespace {

using test::expectWords;

/// What the exception that `action` throws says, "" if it throws none.
std::string messageOf(const std::function<void()>& action) {
    try {
        action();
    } catch (const cv::Exception& e) {
        EXPECT_EQ(e.code, cv::Error::StsBadArg);
        EXPECT_EQ(e.err.find('\n'), std::string::npos);
        return e.err;
    }
    return "";
}

IrmbParams validParams() {
    IrmbParams params;
    params.dim_in = params.dim_mid = params.dim_out = 16;
    return params;
}

struct Contradiction {
    const char* name;
    std::function<void(IrmbParams&)> change;
    std::vector<std::string> words; ///< of the message
};

void PrintTo(const Contradiction& c, std::ostream* out) {
    *out << c.name;
}

class CheckParams : public testing::TestWithParam<Contradiction> {};

TEST_P(CheckParams, NamesLayerParameterAndValue) {
    IrmbParams params = validParams();
    GetParam().change(params);
    const std::string message = messageOf([&] { checkParams(params, "neck/block7"); });
    expectWords(message, {"neck/block7"});
    expectWords(message, GetParam().words);
}

constexpr int highest = std::numeric_limits<int>::max();
constexpr int lowest = std::numeric_limits<int>::min();
constexpr float nan = std::numeric_limits<float>::quiet_NaN();

INSTANTIATE_TEST_SUITE_P(
    Contradictions, CheckParams,
    testing::Values(
        Contradiction{"NoChannels", [](auto& p) { p.dim_in = 0; }, {"dim_in=0"}},
        Contradiction{"NegativeMid", [](auto& p) { p.dim_mid = -16; }, {"dim_mid=-16"}},
        Contradiction{"HugeOut", [](auto& p) { p.dim_out = highest; }, {"dim_out=2147483647"}},
        Contradiction{"HeadSize", [](auto& p) { p.dim_head = 5; }, {"dim_head=5", "16"}},
        Contradiction{"NoHeadSize", [](auto& p) { p.dim_head = 0; }, {"dim_head=0"}},
        Contradiction{"HeadSizeAboveC", [](auto& p) { p.dim_head = 32; }, {"dim_head=32", "16"}},
        Contradiction{"HeadsAndMid",
                      [](auto& p) {
                          p.dim_head = 4;
                          p.dim_mid = 18;
                      },
                      {"dim_mid=18", "4 heads"}},
        Contradiction{"HugeWindow", [](auto& p) { p.window_size = highest; }, {"window_size="}},
        Contradiction{"Groups",
                      [](auto& p) {
                          p.norm = Norm::Group;
                          p.norm_groups = 3;
                      },
                      {"norm_groups=3", "16"}},
        Contradiction{"NoGroups",
                      [](auto& p) {
                          p.norm = Norm::Group;
                          p.norm_groups = 0;
                      },
                      {"norm_groups=0"}},
        Contradiction{"NanEps",
                      [](auto& p) {
                          p.norm = Norm::Layer;
                          p.norm_eps = nan;
                      },
                      {"norm_eps=nan"}},
        Contradiction{"NegativeEps",
                      [](auto& p) {
                          p.norm = Norm::Instance;
                          p.norm_eps = -1.f;
                      },
                      {"norm_eps=-1"}},
        Contradiction{"SkipAndStride", [](auto& p) { p.stride = 2; }, {"has_skip=1", "stride=2"}},
        Contradiction{"SkipAndOut", [](auto& p) { p.dim_out = 8; }, {"has_skip=1", "dim_out=8"}},
        Contradiction{"SkipAndEvenKernel", [](auto& p) { p.dw_ks = 4; }, {"has_skip=1", "dw_ks=4"}},
        Contradiction{
            "SkipAndDilation", [](auto& p) { p.dilation = 2; }, {"has_skip=1", "dilation=2"}},
        Contradiction{"NoKernel", [](auto& p) { p.dw_ks = 0; }, {"dw_ks=0"}},
        Contradiction{"NegativeStride", [](auto& p) { p.stride = -1; }, {"stride=-1"}},
        Contradiction{"NegativeDilation", [](auto& p) { p.dilation = lowest; }, {"dilation=-2147"}},
        Contradiction{"NegativeSe", [](auto& p) { p.se_channels = -4; }, {"se_channels=-4"}},
        Contradiction{"NothingMakesMid",
                      [](auto& p) {
                          p.attention = p.v_proj = false;
                          p.dim_mid = 32;
                      },
                      {"dim_mid=32", "attn_s", "v_proj"}},
        Contradiction{"AttentionPartWithoutAttention",
                      [](auto& p) {
                          p.part = Part::Attention;
                          p.attention = false;
                      },
                      {"part='attention'", "attn_s=0"}},
        Contradiction{"AttentionPartWithOut",
                      [](auto& p) {
                          p.part = Part::Attention;
                          p.dim_out = 8;
                      },
                      {"dim_out=8", "dim_mid=16"}}),
    [](const auto& test) { return test.param.name; });

TEST(CheckParamsAccepts, WhatThePyTorchModuleIgnores) {
    IrmbParams params = validParams();
    params.attention = false;
    params.dim_head = 5; // read only with attention
    params.v_group = params.attn_pre = true;
    EXPECT_NO_THROW(checkParams(params, "layer"));
    params = validParams();
    params.dilation = 2;
    params.dw_ks = 1; // no taps that dilation could move apart
    EXPECT_NO_THROW(checkParams(params, "layer"));
    params.window_size = lowest;
    EXPECT_NO_THROW(checkParams(params, "layer"));
}

TEST(CheckWeights, AcceptsShapesWithoutAndWithUnitDimensions) {
    cv::RNG rng(1);
    const IrmbParams params = validParams();
    IrmbWeights weights = test::randomWeights(params, rng);
    EXPECT_NO_THROW(checkWeights(params, weights, "layer"));
    weights.qk_weight = weights.qk_weight.reshape(1, std::vector<int>{32, 16});
    weights.local_weight = weights.local_weight.reshape(1, std::vector<int>{16, 3, 3});
    weights.norm_scale = weights.norm_scale.reshape(1, std::vector<int>{16, 1});
    EXPECT_NO_THROW(checkWeights(params, weights, "layer"));
}

TEST(CheckWeights, NamesLayerTensorAndBothSizes) {
    cv::RNG rng(1);
    const IrmbParams params = validParams();
    const IrmbWeights good = test::randomWeights(params, rng);
    const auto message = [&](const IrmbWeights& weights) {
        return messageOf([&] { checkWeights(params, weights, "stage2"); });
    };
    IrmbWeights bad = good;
    bad.qk_weight = cv::Mat(std::vector<int>{16, 32, 1, 1}, CV_32F);
    expectWords(message(bad), {"stage2", "qk_weight", "[16x32x1x1]", "[32x16x1x1]"});
    bad = good;
    bad.local_bias.release();
    expectWords(message(bad), {"local_bias", "missing", "[16]"});
    bad = good;
    bad.qk_bias = cv::Mat(std::vector<int>{32}, CV_32F);
    expectWords(message(bad), {"qk_bias", "superfluous"});
    bad = good;
    bad.v_weight.convertTo(bad.v_weight, CV_64F);
    expectWords(message(bad), {"v_weight", "float32"});
    bad = good;
    bad.proj_weight = cv::Mat(16, 32, CV_32F).colRange(0, 16);
    expectWords(message(bad), {"proj_weight", "continuous"});
}

TEST(CheckWeights, CountsTheSlopesOfPrelu) {
    cv::RNG rng(1);
    IrmbParams params = validParams();
    params.act = Activation::Prelu;
    IrmbWeights weights = test::randomWeights(params, rng);
    for (const int count : {1, 16}) {
        weights.v_slope = cv::Mat(std::vector<int>{count}, CV_32F);
        EXPECT_NO_THROW(checkWeights(params, weights, "layer"));
    }
    weights.v_slope = cv::Mat(std::vector<int>{8}, CV_32F);
    expectWords(messageOf([&] { checkWeights(params, weights, "layer"); }),
                {"v_slope", "[8", "[16]"});
}

TEST(OutputSize, FollowsPyTorch) {
    IrmbParams params = validParams();
    EXPECT_EQ(outputSize(params, 7, 9), cv::Size(9, 7));
    params.has_skip = false;
    params.stride = 2;
    EXPECT_EQ(outputSize(params, 7, 10), cv::Size(5, 4));
    params.stride = 1;
    params.dilation = 2;
    EXPECT_EQ(outputSize(params, 7, 10), cv::Size(8, 5));
    params.dilation = 1;
    params.dw_ks = 4;
    EXPECT_EQ(outputSize(params, 7, 10), cv::Size(11, 8));
    params.part = Part::Attention;
    EXPECT_EQ(outputSize(params, 7, 10), cv::Size(10, 7));
}

TEST(OutputSize, RefusesMapsThatDoNotFit) {
    IrmbParams params = validParams();
    params.has_skip = false;
    params.dilation = 4;
    expectWords(messageOf([&] { outputSize(params, 5, 30); }), {"dilation=4", "[5x30]"});
    expectWords(messageOf([&] { outputSize(params, 0, 30); }), {"empty"});
}

TEST(NodeAttributes, SurviveTheWayThroughANode) {
    cv::RNG rng(2);
    for (int i = 0; i < 300; ++i) {
        const IrmbParams params = test::anyParams(rng);
        const NodeAttributes attributes = toAttributes(params);
        const IrmbParams back = fromAttributes(attributes, params.dim_in, "layer");
        const NodeAttributes again = toAttributes(back);
        EXPECT_EQ(again.ints, attributes.ints);
        EXPECT_EQ(again.floats, attributes.floats);
        EXPECT_EQ(again.strings, attributes.strings);
        EXPECT_EQ(weightSlots(back).size(), weightSlots(params).size());
    }
}

TEST(NodeAttributes, DefaultsAreThoseOfTheSpecification) {
    const IrmbParams params = fromAttributes({}, 24, "layer");
    EXPECT_EQ(params.dim_mid, 24);
    EXPECT_EQ(params.dim_out, 24);
    EXPECT_EQ(params.norm, Norm::Batch);
    EXPECT_EQ(params.act, Activation::Relu);
    EXPECT_EQ(params.window_size, 7);
    EXPECT_EQ(params.dim_head, 8);
    EXPECT_TRUE(params.attention);
    EXPECT_TRUE(params.has_skip);
}

TEST(NodeAttributes, RefuseWhatTheSpecificationDoesNotKnow) {
    const auto message = [](const NodeAttributes& attributes) {
        return messageOf([&] { fromAttributes(attributes, 16, "b3"); });
    };
    expectWords(message({{}, {}, {{"act_layer", "swish2"}}}), {"b3", "act_layer='swish2'", "silu"});
    expectWords(message({{}, {}, {{"norm_layer", "bn"}}}), {"bn_2d"});
    expectWords(message({{}, {}, {{"part", ""}}}), {"part=''"});
    expectWords(message({{{"window", 7}}, {}, {}}), {"window=7"});
    expectWords(message({{{"norm_eps", 1}}, {}, {}}), {"norm_eps=1"});
    expectWords(message({{}, {{"dim_head", 8.f}}, {}}), {"dim_head=8"});
    expectWords(message({{{"attn_s", 2}}, {}, {}}), {"attn_s=2"});
    expectWords(message({{{"dim_mid", int64_t{1} << 40}}, {}, {}}), {"dim_mid=1099511627776"});
}

TEST(Flops, CountPaddedTokensInTheAttentionAlone) {
    IrmbParams params = validParams();
    // 8 x 8 pixels, four windows of 49 tokens; multiplications with an addition count two.
    const int64_t convolutions = 64 * (3 * 16 * 16 + 9 * 16 + 16 * 16);
    const int64_t attention = int64_t{4} * 49 * 49 * (16 + 16);
    EXPECT_EQ(flops(params, 8, 8), 2 * (convolutions + attention));
    params.se_channels = 4;
    EXPECT_EQ(flops(params, 8, 8), 2 * (convolutions + attention + 2 * 16 * 4));
    params.part = Part::Attention;
    EXPECT_EQ(flops(params, 8, 8), 2 * (64 * 3 * 16 * 16 + attention));
}

} // namespace
} // namespace irmb
