#include "cpu/kernels.hpp"
#include "support/map_size.hpp"

#include <gtest/gtest.h>
#include <opencv2/core.hpp>

#include <algorithm>
#include <cmath>

namespace irmb::test {
namespace {

struct Shape {
    int in_blocks;
    int out_blocks;
    int top;
    int left;
    int bottom;
    int right;
    Activation before;
    Activation after;
    bool residual;
};

double activated(Activation act, double x) {
    if (act == Activation::Silu)
        return x / (1 + std::exp(-x));
    return act == Activation::Relu ? std::max(x, 0.) : x;
}

/// A convolution with random values, and what it should give.
class Problem {
public:
    Problem(const MapSize& size, const Shape& shape, cv::RNG& rng)
        : size_(size),
          shape_(shape),
          in_(random(shape.in_blocks * lanes() * size.height * size.width, rng)),
          kernel_(random(9 * shape.in_blocks * shape.out_blocks * lanes() * lanes(), rng)),
          bias_(random(shape.out_blocks * lanes(), rng)),
          residual_(random(shape.out_blocks * lanes() * outHeight() * outWidth(), rng)) {}

    int outHeight() const { return size_.height + shape_.top + shape_.bottom - 2; }
    int outWidth() const { return size_.width + shape_.left + shape_.right - 2; }

    /// The kernel's result, computed in parts of `part` tiles.
    std::vector<float> run(int part) const {
        const std::vector<float> weights = transformedWeights();
        std::vector<float> out(residual_.size(), 1e9f);
        const int tiles = (outHeight() + 1) / 2 * ((outWidth() + 1) / 2);
        std::vector<float> scratch(
            cpu::kernels().winogradScratch(channelsIn(), channelsOut(), part));
        cpu::Winograd w = {};
        w.in = in_.data();
        w.in_blocks = shape_.in_blocks;
        w.height = size_.height;
        w.width = size_.width;
        w.top = shape_.top;
        w.left = shape_.left;
        w.weights = weights.data();
        w.bias = bias_.data();
        w.before = shape_.before;
        w.residual = shape_.residual ? residual_.data() : nullptr;
        w.after = shape_.after;
        w.out = out.data();
        w.out_blocks = shape_.out_blocks;
        w.out_height = outHeight();
        w.out_width = outWidth();
        w.scratch = scratch.data();
        for (w.tile_begin = 0; w.tile_begin < tiles; w.tile_begin = w.tile_end) {
            w.tile_end = std::min(tiles, w.tile_begin + part);
            cpu::kernels().winograd(w);
        }
        return out;
    }

    /// One output value by the definition, in double precision.
    double expected(int channel, int y, int x) const {
        double sum = bias_[channel];
        for (int c = 0; c < channelsIn(); ++c)
            for (int i = 0; i < 3; ++i)
                for (int j = 0; j < 3; ++j) {
                    const int row = y + i - shape_.top;
                    const int column = x + j - shape_.left;
                    if (row >= 0 && row < size_.height && column >= 0 && column < size_.width)
                        sum += double(kernelAt(channel, c, i, j)) *
                               in_[place(c, row, column, size_.height, size_.width)];
                }
        sum = activated(shape_.before, sum);
        if (shape_.residual)
            sum += residual_[outPlace(channel, y, x)];
        return activated(shape_.after, sum);
    }

    std::size_t outPlace(int channel, int y, int x) const {
        return place(channel, y, x, outHeight(), outWidth());
    }
    int channelsOut() const { return shape_.out_blocks * lanes(); }

private:
    static int lanes() { return cpu::kernels().lanes; }
    int channelsIn() const { return shape_.in_blocks * lanes(); }

    static std::vector<float> random(int count, cv::RNG& rng) {
        std::vector<float> values(count);
        for (float& value : values)
            value = rng.uniform(-1.f, 1.f);
        return values;
    }

    static std::size_t place(int channel, int y, int x, int height, int width) {
        return ((std::size_t(channel / lanes()) * height + y) * width + x) * lanes() +
               channel % lanes();
    }

    float kernelAt(int out, int in, int i, int j) const {
        return kernel_[((std::size_t(out) * channelsIn() + in) * 3 + i) * 3 + j];
    }

    /// G g G^T of every kernel g.
    std::vector<float> transformedWeights() const {
        constexpr double G[4][3] = {{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}};
        std::vector<float> weights(16 * std::size_t(channelsIn()) * channelsOut());
        std::size_t next = 0;
        for (int point = 0; point < 16; ++point)
            for (int block = 0; block < shape_.out_blocks; ++block)
                for (int in = 0; in < channelsIn(); ++in)
                    for (int lane = 0; lane < lanes(); ++lane) {
                        double sum = 0;
                        for (int i = 0; i < 3; ++i)
                            for (int j = 0; j < 3; ++j)
                                sum += G[point / 4][i] * G[point % 4][j] *
                                       kernelAt(block * lanes() + lane, in, i, j);
                        weights[next++] = static_cast<float>(sum);
                    }
        return weights;
    }

    MapSize size_;
    Shape shape_;
    std::vector<float> in_;
    std::vector<float> kernel_; ///< [out][in][3][3]
    std::vector<float> bias_;
    std::vector<float> residual_;
};

class WinogradCpu : public testing::TestWithParam<MapSize> {};

TEST_P(WinogradCpu, AgreesWithTheDefinition) {
    constexpr Activation none = Activation::None;
    constexpr Activation silu = Activation::Silu;
    const Shape shapes[] = {{1, 1, 1, 1, 1, 1, none, none, false},
                            {2, 3, 1, 1, 1, 1, silu, none, true},
                            {3, 2, 2, 2, 2, 2, none, Activation::Relu, true},
                            {1, 2, 2, 1, 1, 2, silu, silu, false}};
    const auto [height, width] = GetParam();
    cv::RNG rng(100 * height + width);
    for (const Shape& shape : shapes) {
        const Problem problem({height, width}, shape, rng);
        for (const int part : {1, 5, 1000}) {
            const std::vector<float> out = problem.run(part);
            double error = 0;
            for (int c = 0; c < problem.channelsOut(); ++c)
                for (int y = 0; y < problem.outHeight(); ++y)
                    for (int x = 0; x < problem.outWidth(); ++x)
                        error = std::max(error, std::abs(out[problem.outPlace(c, y, x)] -
                                                         problem.expected(c, y, x)));
            // Sums of up to 9 * 48 products of values in -1..1.
            ASSERT_LE(error, 2e-5)
                << shape.in_blocks << " to " << shape.out_blocks << " blocks in parts of " << part;
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Sizes, WinogradCpu,
                         testing::Values(MapSize{1, 1}, MapSize{2, 2}, MapSize{6, 5}, MapSize{7, 7},
                                         MapSize{1, 19}, MapSize{13, 17}, MapSize{20, 20}),
                         nameOf);

} // namespace
} // namespace irmb::test
