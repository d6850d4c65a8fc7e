#include "cpu/blocked_convolution.hpp"
#include "support/random_irmb.hpp"

#include <gtest/gtest.h>

#include <cmath>

using irmb::Activation;
using irmb::cpu::BlockedConvolution;

namespace {

struct Case {
    BlockedConvolution::Shape shape;
    int height;
    int width;
    int pad_top;
    int pad_left;
    int pad_bottom;
    int pad_right;
};

/// [C][H][W] as [C / block][H][W][block].
cv::Mat blocked(const cv::Mat& map) {
    const int block = irmb::cpu::kernels().lanes;
    const int pixels = map.size[2] * map.size[3];
    cv::Mat result(map.dims, map.size.p, CV_32F);
    for (int c = 0; c < map.size[1]; ++c)
        for (int i = 0; i < pixels; ++i)
            result.ptr<float>()[(c / block * pixels + i) * block + c % block] =
                map.ptr<float>()[c * pixels + i];
    return result;
}

float apply(Activation act, double x) {
    if (act == Activation::Silu)
        x /= 1 + std::exp(-x);
    if (act == Activation::Relu)
        x = std::max(x, 0.);
    if (act == Activation::Sigmoid)
        x = 1 / (1 + std::exp(-x));
    return static_cast<float>(x);
}

/// The naive sum, in double precision.
cv::Mat convolve(const Case& c, const cv::Mat& x, const cv::Mat& weights, const cv::Mat& bias,
                 const cv::Mat& residual, Activation before, Activation after) {
    cv::Mat y = residual.clone();
    const int* k = c.shape.kernel.data();
    for (int o = 0; o < y.size[1]; ++o)
        for (int row = 0; row < y.size[2]; ++row)
            for (int col = 0; col < y.size[3]; ++col) {
                double sum = bias.ptr<float>()[o];
                for (int i = 0; i < x.size[1]; ++i)
                    for (int v = 0; v < k[0]; ++v)
                        for (int h = 0; h < k[1]; ++h) {
                            const int from_row = row + v - c.pad_top;
                            const int from_col = col + h - c.pad_left;
                            if (from_row < 0 || from_row >= x.size[2] || from_col < 0 ||
                                from_col >= x.size[3])
                                continue;
                            sum += double{x.ptr<float>(0, i, from_row)[from_col]} *
                                   weights.ptr<float>(o, i, v)[h];
                        }
                float& value = y.ptr<float>(0, o, row)[col];
                value = apply(after, apply(before, sum) + value);
            }
    return y;
}

TEST(BlockedConvolution, IsTheNaiveSum) {
    const int block = irmb::cpu::kernels().lanes;
    const std::array<int, 2> one = {1, 1};
    const std::array<int, 2> three = {3, 3};
    const Case cases[] = {
        {{block, block, three}, 8, 8, 1, 1, 1, 1},
        {{block, 3 * block, three}, 13, 19, 1, 1, 1, 1},
        {{2 * block, block, three}, 5, 42, 0, 2, 1, 0},
        {{3 * block, 2 * block, three}, 1, 1, 1, 1, 1, 1},
        {{block, block, three}, 3, 4, 2, 2, 2, 2},
        {{4 * block, 5 * block, three}, 33, 30, 1, 1, 1, 1},
        {{block, block, one}, 1, 1, 0, 0, 0, 0},
        {{2 * block, 3 * block, one}, 7, 9, 0, 0, 0, 0},
        {{9 * block, 2 * block, one}, 16, 19, 0, 0, 0, 0},
        {{block, 4 * block, one}, 20, 21, 0, 0, 0, 0},
    };
    const std::pair<Activation, Activation> activations[] = {
        {Activation::None, Activation::None},
        {Activation::Silu, Activation::None},
        {Activation::Relu, Activation::Silu},
        {Activation::None, Activation::Sigmoid}};
    cv::RNG rng(1);
    for (const Case& c : cases)
        for (const auto& [before, after] : activations) {
            SCOPED_TRACE(
                cv::format("%d to %d channels, %dx%d", c.shape.in, c.shape.out, c.height, c.width));
            ASSERT_TRUE(BlockedConvolution::supports(c.shape, before, after));
            const int height = c.height + c.pad_top + c.pad_bottom - c.shape.kernel[0] + 1;
            const int width = c.width + c.pad_left + c.pad_right - c.shape.kernel[1] + 1;
            const cv::Mat x = irmb::test::randomMap({1, c.shape.in, c.height, c.width}, rng);
            cv::Mat weights = irmb::test::randomMap(
                {c.shape.out, c.shape.in, c.shape.kernel[0], c.shape.kernel[1]}, rng);
            weights *= std::sqrt(3. / (c.shape.in * c.shape.kernel[0] * c.shape.kernel[1]));
            const cv::Mat bias = irmb::test::randomMap({1, c.shape.out, 1, 1}, rng);
            const cv::Mat residual = irmb::test::randomMap({1, c.shape.out, height, width}, rng);
            const cv::Mat expected = convolve(c, x, weights, bias, residual, before, after);

            const BlockedConvolution convolution(c.shape, weights.ptr<float>(), bias.ptr<float>(),
                                                 before, after);
            const cv::Mat in = blocked(x);
            const cv::Mat added = blocked(residual);
            cv::Mat out(expected.dims, expected.size.p, CV_32F);
            irmb::cpu::BufferPool pool;
            convolution.run({in.ptr<float>(), c.height, c.width, added.ptr<float>(),
                             out.ptr<float>(), height, width, c.pad_top, c.pad_left},
                            pool);
            EXPECT_LE(irmb::test::maxDifference(out, blocked(expected)),
                      irmb::test::tolerance(expected));
        }
}

TEST(BlockedConvolution, LeavesOthersAlone) {
    const int block = irmb::cpu::kernels().lanes;
    const auto supports = [](const BlockedConvolution::Shape& shape) {
        return BlockedConvolution::supports(shape, Activation::Silu, Activation::None);
    };
    EXPECT_TRUE(supports({block, block, {3, 3}}));
    EXPECT_FALSE(supports({block, block, {3, 1}}));
    EXPECT_FALSE(supports({block, block, {5, 5}}));
    EXPECT_FALSE(supports({block + 1, block, {3, 3}}));
    EXPECT_FALSE(supports({block, block + 1, {1, 1}}));
    EXPECT_FALSE(supports({block, block, {3, 3}, {2, 2}}));
    EXPECT_FALSE(supports({block, block, {3, 3}, {1, 1}, {2, 2}}));
    EXPECT_FALSE(supports({block, block, {3, 3}, {1, 1}, {1, 1}, block}));
    EXPECT_FALSE(
        BlockedConvolution::supports({block, block, {3, 3}}, Activation::Prelu, Activation::None));
}

} // namespace
