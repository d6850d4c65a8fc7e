#include "cpu/irmb_cpu.hpp"
#include "cpu/kernels.hpp"
#include "reference/irmb_reference.hpp"
#include "support/map_size.hpp"
#include "support/random_irmb.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace irmb::test {
namespace {

cv::Mat run(const IrmbCpu& block, const IrmbParams& params, const cv::Mat& x) {
    const cv::Size size = outputSize(params, x.size[2], x.size[3]);
    const std::vector<int> shape = {x.size[0], params.dim_out, size.height, size.width};
    cv::Mat y(shape, CV_32F, cv::Scalar(-1e9));
    block.forward(x, y);
    return y;
}

class IrmbCpuGrid : public testing::TestWithParam<MapSize> {};

TEST_P(IrmbCpuGrid, AgreesWithReference) {
    const auto [height, width] = GetParam();
    RecordProperty("kernels", cpu::kernels().name);
    cv::RNG rng(1000 * height + width);
    for (int i = 0; i < 80; ++i) {
        const IrmbParams params = anyParams(rng);
        if (!fits(params, height, width))
            continue;
        const IrmbWeights weights = randomWeights(params, rng);
        const cv::Mat x = randomMap({1 + i % 3, params.dim_in, height, width}, rng) * 2 + 0.3;
        const cv::Mat expected = irmbReference(params, weights, x);
        const cv::Mat y = run(IrmbCpu(params, weights), params, x);
        ASSERT_LE(maxDifference(y, expected), tolerance(expected)) << describe(params);
    }
}

INSTANTIATE_TEST_SUITE_P(Sizes, IrmbCpuGrid,
                         testing::Values(MapSize{1, 1}, MapSize{5, 5}, MapSize{6, 5}, MapSize{7, 7},
                                         MapSize{1, 19}, MapSize{13, 17}, MapSize{20, 20},
                                         MapSize{3, 70}),
                         nameOf);

void expectAgreement(const IrmbParams& params, const std::vector<int>& shape) {
    cv::RNG rng(7);
    const IrmbWeights weights = randomWeights(params, rng);
    const cv::Mat x = randomMap(shape, rng);
    const cv::Mat expected = irmbReference(params, weights, x);
    EXPECT_LE(maxDifference(run(IrmbCpu(params, weights), params, x), expected),
              tolerance(expected));
}

TEST(IrmbCpu, HeadSizesOfYolov10n) {
    expectAgreement(defaultParams(64), {1, 64, 80, 80});
    expectAgreement(defaultParams(128), {1, 128, 40, 40});
    expectAgreement(defaultParams(256), {1, 256, 20, 20});
}

TEST(IrmbCpu, WholeMapAsOneWindowOfManyTokens) {
    IrmbParams params = defaultParams(16);
    params.window_size = 0;
    params.v_group = true;
    expectAgreement(params, {1, 16, 47, 51});
}

TEST(IrmbCpu, WindowLargerThanMapIsMostlyPadding) {
    IrmbParams params = defaultParams(16);
    params.window_size = 30;
    params.qk_bias = params.v_bias = true;
    expectAgreement(params, {1, 16, 4, 6});
}

TEST(IrmbCpu, WideMapIsCutIntoManyTiles) {
    expectAgreement(defaultParams(8), {1, 8, 9, 1500});
}

// Small logits take a way through the softmax that does without their maximum.
TEST(IrmbCpu, LargeLogitsDoNotOverflow) {
    cv::RNG rng(3);
    for (const int window : {1, 3, 6, 7, 20, -1})
        for (const bool bias : {false, true}) {
            IrmbParams params = defaultParams(16);
            params.window_size = window;
            params.qk_bias = bias;
            IrmbWeights weights = randomWeights(params, rng);
            weights.qk_weight *= 20.f;
            const cv::Mat x = randomMap({1, 16, 19, 20}, rng);
            const cv::Mat expected = irmbReference(params, weights, x);
            EXPECT_LE(maxDifference(run(IrmbCpu(params, weights), params, x), expected),
                      50 * tolerance(expected)) // the logits themselves are rounded
                << describe(params);
        }
}

TEST(IrmbCpu, OneLargeBiasOfTheKeysDoesNotOverflow) {
    cv::RNG rng(4);
    IrmbParams params = defaultParams(16);
    params.qk_bias = true;
    IrmbWeights weights = randomWeights(params, rng);
    weights.qk_bias.at<float>(params.dim_in) = 400.f; // of the padded keys, too
    const cv::Mat x = randomMap({1, 16, 10, 9}, rng) * 3;
    const cv::Mat expected = irmbReference(params, weights, x);
    EXPECT_LE(maxDifference(run(IrmbCpu(params, weights), params, x), expected),
              50 * tolerance(expected));
}

TEST(IrmbCpu, MapOfAnotherSizeHasItsOwnBorder) {
    const IrmbParams params = defaultParams(16);
    cv::RNG rng(5);
    const IrmbWeights weights = randomWeights(params, rng);
    const IrmbCpu block(params, weights);
    for (const auto& [height, width] : {MapSize{9, 12}, {12, 9}, {9, 12}, {8, 12}, {6, 16}}) {
        const cv::Mat x = randomMap({1, 16, height, width}, rng);
        const cv::Mat expected = irmbReference(params, weights, x);
        EXPECT_LE(maxDifference(run(block, params, x), expected), tolerance(expected));
    }
}

TEST(IrmbCpu, StatisticsOfAMapFarFromZero) {
    for (const Norm norm : {Norm::Layer, Norm::Instance, Norm::Group}) {
        IrmbParams params = defaultParams(16);
        params.norm = norm;
        params.norm_groups = 2;
        cv::RNG rng(4);
        const IrmbWeights weights = randomWeights(params, rng);
        const cv::Mat x = randomMap({1, 16, 21, 23}, rng) + 100.0;
        const cv::Mat expected = irmbReference(params, weights, x);
        EXPECT_LE(maxDifference(run(IrmbCpu(params, weights), params, x), expected),
                  tolerance(expected))
            << describe(params);
    }
}

class Threads : public testing::Test {
protected:
    ~Threads() override { cv::setNumThreads(before_); }

private:
    int before_ = cv::getNumThreads();
};

TEST_F(Threads, NumberDoesNotChangeTheResult) {
    cv::RNG rng(5);
    for (int i = 0; i < 20; ++i) {
        const IrmbParams params = anyParams(rng);
        if (!fits(params, 17, 20))
            continue;
        const IrmbCpu block(params, randomWeights(params, rng));
        const cv::Mat x = randomMap({2, params.dim_in, 17, 20}, rng);
        cv::setNumThreads(1);
        const cv::Mat alone = run(block, params, x);
        cv::setNumThreads(2);
        EXPECT_EQ(maxDifference(run(block, params, x), alone), 0.0) << describe(params);
    }
}

TEST_F(Threads, OneBlockServesSeveralCallersAtATime) {
    const IrmbParams params = defaultParams(16);
    cv::RNG rng(6);
    const IrmbCpu block(params, randomWeights(params, rng));
    const cv::Mat inputs[] = {randomMap({1, 16, 20, 20}, rng), randomMap({2, 16, 31, 9}, rng)};
    double difference[2] = {};
    const auto call = [&](int caller) {
        const cv::Mat first = run(block, params, inputs[caller]);
        for (int i = 0; i < 50; ++i)
            difference[caller] = std::max(difference[caller],
                                          maxDifference(run(block, params, inputs[caller]), first));
    };
    std::thread other(call, 1);
    call(0);
    other.join();
    EXPECT_EQ(difference[0], 0.0);
    EXPECT_EQ(difference[1], 0.0);
}

TEST(IrmbCpu, KeepsNoReferenceToTheWeights) {
    IrmbParams params = defaultParams(8);
    params.norm = Norm::Layer;
    cv::RNG rng(8);
    IrmbWeights weights = randomWeights(params, rng);
    const IrmbCpu block(params, weights);
    const cv::Mat x = randomMap({1, 8, 7, 7}, rng);
    const cv::Mat before = run(block, params, x);
    weights.norm_scale.setTo(0);
    weights.proj_weight.setTo(0);
    EXPECT_EQ(maxDifference(run(block, params, x), before), 0.0);
}

} // namespace
} // namespace irmb::test
