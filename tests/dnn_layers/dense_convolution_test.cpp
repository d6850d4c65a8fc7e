#include "cpu/blocked_convolution.hpp"
#include "cpu/thin_convolution.hpp"
#include "cpu/tiled_convolution.hpp"
#include "support/random_irmb.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

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
                            const int from_row =
                                row * c.shape.stride[0] + v * c.shape.dilation[0] - c.pad_top;
                            const int from_col =
                                col * c.shape.stride[1] + h * c.shape.dilation[1] - c.pad_left;
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

/// Numbers that Bfloat16 can hold: the upper halves, rounded to nearest.
cv::Mat rounded(const cv::Mat& map) {
    cv::Mat result = map.clone();
    for (std::size_t i = 0; i < result.total(); ++i) {
        uint32_t bits;
        std::memcpy(&bits, &result.ptr<float>()[i], sizeof(bits));
        bits = (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000;
        std::memcpy(&result.ptr<float>()[i], &bits, sizeof(bits));
    }
    return result;
}

/// The upper halves.
std::vector<uint16_t> toHalves(const cv::Mat& map) {
    std::vector<uint16_t> halves(map.total());
    for (std::size_t i = 0; i < halves.size(); ++i)
        std::memcpy(&halves[i], reinterpret_cast<const char*>(&map.ptr<float>()[i]) + 2, 2);
    return halves;
}

cv::Mat toFloats(const std::vector<uint16_t>& halves, const cv::Mat& like) {
    cv::Mat map(like.dims, like.size.p, CV_32F, cv::Scalar(0));
    for (std::size_t i = 0; i < halves.size(); ++i)
        std::memcpy(reinterpret_cast<char*>(&map.ptr<float>()[i]) + 2, &halves[i], 2);
    return map;
}

const std::pair<Activation, Activation> activations[] = {{Activation::None, Activation::None},
                                                         {Activation::Silu, Activation::None},
                                                         {Activation::Relu, Activation::Silu},
                                                         {Activation::None, Activation::Sigmoid}};

std::vector<Case> cases() {
    const int block = irmb::cpu::kernels().lanes;
    const std::array<int, 2> one = {1, 1};
    const std::array<int, 2> three = {3, 3};
    return {
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
}

/// A case with random numbers.
struct Sample {
    Sample(const Case& c, cv::RNG& rng) {
        const int* kernel = c.shape.kernel.data();
        const auto size = [&](int padded, int axis) {
            return (padded - (kernel[axis] - 1) * c.shape.dilation[axis] - 1) /
                       c.shape.stride[axis] +
                   1;
        };
        const int height = size(c.height + c.pad_top + c.pad_bottom, 0);
        const int width = size(c.width + c.pad_left + c.pad_right, 1);
        x = irmb::test::randomMap({1, c.shape.in, c.height, c.width}, rng);
        weights = irmb::test::randomMap({c.shape.out, c.shape.in, kernel[0], kernel[1]}, rng);
        weights *= std::sqrt(3. / (c.shape.in * kernel[0] * kernel[1]));
        bias = irmb::test::randomMap({1, c.shape.out, 1, 1}, rng);
        residual = irmb::test::randomMap({1, c.shape.out, height, width}, rng);
    }

    cv::Mat x;
    cv::Mat weights;
    cv::Mat bias;
    cv::Mat residual;
};

std::string nameOf(const Case& c) {
    return cv::format("%d to %d channels, %dx%d", c.shape.in, c.shape.out, c.height, c.width);
}

BlockedConvolution::Maps mapsOf(const Case& c, const void* in, const cv::Mat& like,
                                const void* residual, void* out) {
    return {in,           c.height,     c.width,   residual,  out,
            like.size[2], like.size[3], c.pad_top, c.pad_left};
}

TEST(BlockedConvolution, IsTheNaiveSum) {
    cv::RNG rng(1);
    for (const Case& c : cases())
        for (const auto& [before, after] : activations) {
            SCOPED_TRACE(nameOf(c));
            ASSERT_TRUE(BlockedConvolution::supports(c.shape, before, after));
            const Sample s(c, rng);
            const cv::Mat expected = convolve(c, s.x, s.weights, s.bias, s.residual, before, after);

            const BlockedConvolution convolution(c.shape, s.weights.ptr<float>(),
                                                 s.bias.ptr<float>(), before, after);
            const cv::Mat in = blocked(s.x);
            const cv::Mat added = blocked(s.residual);
            cv::Mat out(expected.dims, expected.size.p, CV_32F);
            irmb::cpu::BufferPool pool;
            convolution.run(mapsOf(c, in.data, expected, added.data, out.data), pool);
            EXPECT_LE(irmb::test::maxDifference(out, blocked(expected)),
                      irmb::test::tolerance(expected));
        }
}

/// What a sum of products of Bfloat16 may be off: half a unit in the last of 8 bits of the result.
/// Winograd also rounds the transformed numbers; they cancel in the result, so what it loses grows
/// with their size instead of the result's.
void expectNear(const cv::Mat& result, const cv::Mat& expected, bool winograd) {
    double squares = 0.;
    for (std::size_t i = 0; i < result.total(); ++i) {
        const float wanted = expected.ptr<float>()[i];
        const float error = std::abs(result.ptr<float>()[i] - wanted);
        ASSERT_LE(error, std::abs(wanted) / 256 + (winograd ? 0.1f : 1e-5f)) << i;
        squares += double{error} * error;
    }
    EXPECT_LE(std::sqrt(squares / result.total()), 0.01);
}

/// Compares what `make` makes, between maps of Bfloat16, with the naive sum.
template <typename Make>
void expectNaiveSum(const Case& c, bool winograd, cv::RNG& rng, Make make) {
    for (const auto& [before, after] : activations) {
        SCOPED_TRACE(nameOf(c));
        const Sample s(c, rng);
        const cv::Mat x = rounded(s.x);
        const cv::Mat residual = rounded(s.residual);
        const cv::Mat weights = winograd ? s.weights : rounded(s.weights);
        const cv::Mat expected = blocked(convolve(c, x, weights, s.bias, residual, before, after));

        const std::unique_ptr<irmb::cpu::DenseConvolution> convolution =
            make(s.weights.ptr<float>(), s.bias.ptr<float>(), before, after);
        const std::vector<uint16_t> in = toHalves(blocked(x));
        const std::vector<uint16_t> added = toHalves(blocked(residual));
        std::vector<uint16_t> out(expected.total());
        irmb::cpu::BufferPool pool;
        convolution->run(mapsOf(c, in.data(), expected, added.data(), out.data()), pool);
        expectNear(toFloats(out, expected), expected, winograd);
    }
}

TEST(BlockedConvolution, IsTheNaiveSumOfBfloat16) {
    cv::RNG rng(2);
    for (const Case& c : cases())
        expectNaiveSum(
            c, c.shape.kernel[0] == 3, rng,
            [&](const float* weights, const float* bias, Activation before, Activation after) {
                return std::make_unique<BlockedConvolution>(c.shape, weights, bias, before, after,
                                                            irmb::cpu::MapType::Bfloat16);
            });
}

std::vector<Case> casesOfThinMaps() {
    const int block = irmb::cpu::kernels().lanes;
    return {
        {{3, block, {3, 3}, {2, 2}}, 64, 80, 1, 1, 1, 1},
        {{3, 2 * block, {3, 3}, {2, 2}}, 37, 55, 1, 1, 1, 1},
        {{3, block, {6, 6}, {2, 2}}, 33, 31, 2, 2, 2, 2},
        {{1, 3 * block, {1, 1}}, 5, 40, 0, 0, 0, 0},
        {{4, block, {3, 5}, {1, 3}, {2, 1}}, 12, 44, 2, 0, 2, 3},
        {{2, block, {7, 7}}, 1, 1, 3, 3, 3, 3},
        {{3, block, {3, 3}}, 2, 900, 1, 1, 1, 1},
        {{3, block, {3, 3}}, 3, 3, 9, 9, 9, 9},
    };
}

TEST(ThinConvolution, IsTheNaiveSum) {
    cv::RNG rng(4);
    for (const Case& c : casesOfThinMaps())
        for (const auto& [before, after] : activations) {
            SCOPED_TRACE(nameOf(c));
            ASSERT_TRUE(irmb::cpu::ThinConvolution::supports(c.shape, before, after));
            const Sample s(c, rng);
            const cv::Mat residual = rounded(s.residual);
            const cv::Mat expected =
                blocked(convolve(c, s.x, s.weights, s.bias, residual, before, after));
            const auto make = [&](irmb::cpu::MapType type) {
                return irmb::cpu::ThinConvolution(c.shape, s.weights.ptr<float>(),
                                                  s.bias.ptr<float>(), before, after, type);
            };
            irmb::cpu::BufferPool pool;
            const cv::Mat added = blocked(residual);
            cv::Mat out(expected.dims, expected.size.p, CV_32F);
            make(irmb::cpu::MapType::Float32)
                .run(mapsOf(c, s.x.data, expected, added.data, out.data), pool);
            EXPECT_LE(irmb::test::maxDifference(out, expected), irmb::test::tolerance(expected));

            const std::vector<uint16_t> half = toHalves(added);
            std::vector<uint16_t> half_out(expected.total());
            make(irmb::cpu::MapType::Bfloat16)
                .run(mapsOf(c, s.x.data, expected, half.data(), half_out.data()), pool);
            expectNear(toFloats(half_out, expected), expected, false);
        }
}

/// Kernels, strides and dilations that only tiles take, and sizes around their 16 pixels.
std::vector<Case> casesOfTiles() {
    const int block = irmb::cpu::kernels().lanes;
    std::vector<Case> all = cases();
    const std::vector<Case> others = {
        {{block, block, {3, 3}, {2, 2}}, 40, 40, 1, 1, 1, 1},
        {{2 * block, 3 * block, {3, 3}, {2, 2}}, 17, 35, 1, 1, 1, 1},
        {{3 * block, block, {5, 3}, {1, 2}}, 11, 70, 2, 0, 2, 1},
        {{2 * block, 2 * block, {3, 3}, {1, 1}, {2, 3}}, 19, 16, 2, 3, 2, 3},
        {{block, 2 * block, {1, 1}, {2, 2}}, 15, 33, 0, 0, 0, 0},
        {{block, block, {1, 1}}, 6, 6, 1, 1, 1, 1},
        {{5 * block, 3 * block, {7, 7}}, 8, 9, 3, 3, 3, 3},
        {{block, block, {3, 3}}, 450, 3, 1, 1, 1, 1},
        {{block, block, {3, 3}}, 2, 900, 1, 1, 1, 1},
        {{block, block, {3, 3}}, 1, 1, 5, 5, 5, 5},
    };
    all.insert(all.end(), others.begin(), others.end());
    return all;
}

TEST(TiledConvolution, IsTheNaiveSum) {
    if (!irmb::cpu::kernels().tiled)
        GTEST_SKIP() << "this processor has no tile registers (AMX)";
    cv::RNG rng(3);
    for (const Case& c : casesOfTiles())
        expectNaiveSum(
            c, false, rng,
            [&](const float* weights, const float* bias, Activation before, Activation after) {
                return std::make_unique<irmb::cpu::TiledConvolution>(c.shape, weights, bias, before,
                                                                     after);
            });
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
    EXPECT_FALSE(irmb::cpu::ThinConvolution::supports({5, block, {3, 3}}, Activation::Silu,
                                                      Activation::None));
    EXPECT_FALSE(irmb::cpu::ThinConvolution::supports({3, block + 1, {3, 3}}, Activation::Silu,
                                                      Activation::None));
}

} // namespace
