// The CUDA kernels against the reference. irmb_cuda_test runs these on the host, irmb_cuda_gpu_test
// on a GPU.
#include "support/irmb_on_device.hpp"
#include "support/map_size.hpp"

#include <limits>

namespace irmb::test {
namespace {

using cuda::IrmbKernels;

class IrmbCudaGrid : public IrmbCuda, public testing::WithParamInterface<MapSize> {};

TEST_P(IrmbCudaGrid, AgreesWithReference) {
    const auto [height, width] = GetParam();
    cv::RNG rng(1000 * height + width);
    for (int i = 0; i < 16; ++i) {
        const IrmbParams params = anyParams(rng);
        if (!fits(params, height, width))
            continue;
        chooseThreadOrder(i);
        const IrmbWeights weights = randomWeights(params, rng);
        const cv::Mat x = randomMap({1 + i % 3, params.dim_in, height, width}, rng) * 2 + 0.3;
        expectAgreement(params, weights, x);
    }
}

INSTANTIATE_TEST_SUITE_P(Sizes, IrmbCudaGrid,
                         testing::Values(MapSize{1, 1}, MapSize{6, 5}, MapSize{7, 7},
                                         MapSize{1, 19}, MapSize{13, 17}, MapSize{20, 20}),
                         nameOf);

TEST_F(IrmbCuda, HeadSizesOfYolov10n) {
    expectAgreement(defaultParams(64), {1, 64, 80, 80});
    expectAgreement(defaultParams(128), {1, 128, 40, 40});
    expectAgreement(defaultParams(256), {1, 256, 20, 20});
}

TEST_F(IrmbCuda, HeadSizesOfYolov10nOnALargeGpu) {
    chooseProcessors(132);
    expectAgreement(defaultParams(64), {1, 64, 80, 80});
    expectAgreement(defaultParams(128), {1, 128, 40, 40});
    expectAgreement(defaultParams(256), {1, 256, 20, 20});
}

/// Blocks for each path through the kernels: few tokens and many, attention in front of v, no
/// attention, gates, and sides of the depthwise convolution with and without code of their own.
std::vector<IrmbParams> oneOfEachKind(int channels, Activation act) {
    std::vector<IrmbParams> kinds(6, defaultParams(channels));
    for (IrmbParams& params : kinds)
        params.act = act;
    kinds[1].window_size = 0;
    kinds[1].dw_ks = 7;
    kinds[2].attn_pre = true;
    kinds[2].norm = Norm::Layer;
    kinds[3].attention = false;
    kinds[3].dw_ks = 5;
    kinds[4].se_channels = 6;
    kinds[5].part = Part::Attention;
    return kinds;
}

TEST_F(IrmbCuda, EveryActivationInEachKindOfBlock) {
    for (int act = 0; act <= static_cast<int>(Activation::Prelu); ++act)
        for (const IrmbParams& params : oneOfEachKind(16, static_cast<Activation>(act)))
            expectAgreement(params, {1, 16, 10, 9});
}

/// More channels than a projection has in shared memory at a time, and not a multiple of them.
TEST_F(IrmbCuda, WideBlocks) {
    for (const int processors : {4, 132}) {
        chooseProcessors(processors);
        for (const int channels : {72, 136})
            for (const IrmbParams& params : oneOfEachKind(channels, Activation::Silu))
                expectAgreement(params, {1, channels, 9, 11});
    }
}

TEST_F(IrmbCuda, DefaultBlockTakesTwoLaunches) {
    const Names fused = {"windowAttention", "projection"};
    EXPECT_EQ(kernelsOf(defaultParams(64), {1, 80, 80}), fused);
    EXPECT_EQ(kernelsOf(defaultParams(256), {1, 20, 20}), fused);

    IrmbParams emo = defaultParams(48);
    emo.norm = Norm::Layer;
    emo.act = Activation::Gelu;
    emo.dim_head = 16;
    emo.attn_pre = true;
    EXPECT_EQ(kernelsOf(emo, {1, 28, 28}), (Names{"windowAttention", "projection", "projection"}));
}

TEST_F(IrmbCuda, RareParametersTakeMoreLaunches) {
    IrmbParams params = defaultParams(16);
    params.norm = Norm::Instance;
    params.se_channels = 4;
    params.window_size = 0;
    EXPECT_EQ(kernelsOf(params, {1, 20, 20}), (Names{"statistics", "projection", "tiledAttention",
                                                     "localSum", "gates", "projection"}));
    params.part = Part::Attention;
    params.se_channels = 0;
    EXPECT_EQ(kernelsOf(params, {1, 5, 5}), (Names{"statistics", "windowAttention"}));
}

TEST_F(IrmbCuda, WidthsOfHeads) {
    for (const auto& [channels, dim_head] : {std::pair{64, 16}, {48, 24}, {64, 32}, {64, 64}}) {
        IrmbParams params = defaultParams(channels);
        params.dim_head = dim_head;
        params.dim_mid = 2 * channels;
        params.norm = Norm::Layer;
        expectAgreement(params, {1, channels, 10, 9});
        params.window_size = 0;
        expectAgreement(params, {1, channels, 10, 9});
    }
}

/// In a window of few tokens, which the fused kernel takes where there is the memory, and of many.
TEST_F(IrmbCuda, HeadWiderThanAChunkOfTheGeneralKernel) {
    IrmbParams params = defaultParams(96);
    params.dim_head = 96;
    params.dim_mid = 160;
    params.qk_bias = true;
    for (const int window_size : {9, 0}) {
        params.window_size = window_size;
        expectAgreement(params, {2, 96, 9, 11});
    }
}

TEST_F(IrmbCuda, WholeMapAsOneWindowOfManyTokens) {
    IrmbParams params = defaultParams(16);
    params.window_size = 0;
    params.v_group = true;
    expectAgreement(params, {1, 16, 23, 31});
}

TEST_F(IrmbCuda, WindowLargerThanMapIsMostlyPadding) {
    IrmbParams params = defaultParams(16);
    params.window_size = 30;
    params.qk_bias = params.v_bias = true;
    expectAgreement(params, {1, 16, 4, 6});
    expectAgreement(params, {1, 16, 9, 11});
}

/// Next to so much padding the map's own tokens weigh nothing: the attention's result is the
/// padding's value everywhere.
TEST_F(IrmbCuda, WindowOfAnySizeIsCounted) {
    IrmbParams params = defaultParams(16);
    params.v_bias = true;
    cv::RNG rng(12);
    const IrmbWeights weights = randomWeights(params, rng);
    const cv::Mat x = randomMap({1, 16, 5, 6}, rng);
    IrmbParams constant = params;
    constant.attention = false;
    IrmbWeights without_attention = weights;
    without_attention.qk_weight.release();
    without_attention.v_weight =
        cv::Mat::zeros(weights.v_weight.dims, weights.v_weight.size.p, CV_32F);
    const cv::Mat expected = irmbReference(constant, without_attention, x);
    for (const int window_size : {std::numeric_limits<int>::max(), 1 << 30}) {
        params.window_size = window_size;
        EXPECT_LE(relativeError(run<float>(params, weights, x), expected), float_tolerance);
        EXPECT_LE(relativeError(run<__half>(params, weights, x), expected), half_tolerance);
    }
}

TEST_F(IrmbCuda, LargeLogitsDoNotOverflow) {
    const IrmbParams params = defaultParams(8);
    cv::RNG rng(3);
    IrmbWeights weights = randomWeights(params, rng);
    weights.qk_weight *= 20.f;
    const cv::Mat x = randomMap({1, 8, 9, 9}, rng);
    const cv::Mat expected = irmbReference(params, weights, x);
    EXPECT_LE(relativeError(run<float>(params, weights, x), expected), 10 * float_tolerance);
    EXPECT_TRUE(std::isfinite(relativeError(run<__half>(params, weights, x), expected)));
}

TEST_F(IrmbCuda, StatisticsOfAMapFarFromZero) {
    for (const Norm norm : {Norm::Layer, Norm::Instance, Norm::Group}) {
        IrmbParams params = defaultParams(16);
        params.norm = norm;
        params.norm_groups = 2;
        cv::RNG rng(4);
        const IrmbWeights weights = randomWeights(params, rng);
        const cv::Mat x = randomMap({1, 16, 21, 23}, rng) + 100.0;
        const cv::Mat expected = irmbReference(params, weights, x);
        EXPECT_LE(relativeError(run<float>(params, weights, x), expected), float_tolerance)
            << describe(params);
    }
}

TEST_F(IrmbCuda, RefusesMapsThatItCannotIndex) {
    IrmbParams params = defaultParams(16);
    params.has_skip = false;
    params.dw_ks = 5;
    params.dilation = 3;
    cv::RNG rng(1);
    const IrmbWeights weights = randomWeights(params, rng);
    const IrmbKernels<float> kernels(params, cuda::hostWeights(weights), "block");
    EXPECT_THROW(kernels.scratchBytes({1, 40000, 40000}), cuda::Error);
    EXPECT_THROW(kernels.scratchBytes({65536, 20, 20}), cuda::Error);
    EXPECT_THROW(kernels.scratchBytes({1, 4, 20}), cuda::Error);
    EXPECT_THROW(kernels.scratchBytes({0, 20, 20}), cuda::Error);
    EXPECT_GT(kernels.scratchBytes({1, 20, 20}), 0u);
}

TEST_F(IrmbCuda, KeepsNoReferenceToTheWeights) {
    const IrmbParams params = defaultParams(8);
    cv::RNG rng(8);
    IrmbWeights weights = randomWeights(params, rng);
    const cv::Mat x = randomMap({1, 8, 7, 7}, rng);
    const IrmbKernels<float> kernels(params, cuda::hostWeights(weights), "block");
    const cv::Mat before = run(kernels, params, x);
    weights.norm_scale.setTo(0);
    weights.proj_weight.setTo(0);
    EXPECT_EQ(maxDifference(run(kernels, params, x), before), 0.0);
}

} // namespace
} // namespace irmb::test
