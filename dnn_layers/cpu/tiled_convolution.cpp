#include "cpu/tiled_convolution.hpp"

#include "cpu/parallel.hpp"
#include "cpu/rounding.hpp"

#include <algorithm>

namespace irmb::cpu {
namespace {

/// Pixels of the result in one task, about: few enough for patch and sums to stay in the
/// second-level cache.
constexpr int task_pixels = 400;

/// Rows of the result in one task.
int rowsOfTask(int height, int width) {
    return ceilDivide(height, tasksFor(height, std::max(1, task_pixels / width)));
}

} // namespace

bool TiledConvolution::supports(const Shape& s, Activation before, Activation after) {
    return kernels().tiled && s.groups == 1 && s.in % kernels().lanes == 0 &&
           s.out % kernels().lanes == 0 && before != Activation::Prelu &&
           after != Activation::Prelu;
}

TiledConvolution::TiledConvolution(const Shape& shape, const float* weights, const float* bias,
                                   Activation before, Activation after)
    : shape_(shape), before_(before), after_(after), bias_(shape.out) {
    if (bias)
        std::copy_n(bias, shape.out, bias_.begin());
    pack(weights);
}

void TiledConvolution::pack(const float* weights) {
    const int block = kernels().lanes;
    const int taps = shape_.kernel[0] * shape_.kernel[1];
    const int tiles = ceilDivide(shape_.in, tile_channels);
    const std::size_t tile = std::size_t{tile_channels} * block;
    weights_.assign(shape_.out / block * taps * tiles * tile, Bfloat16{0});
    for (int o = 0; o < shape_.out; ++o)
        for (int i = 0; i < shape_.in; ++i)
            for (int tap = 0; tap < taps; ++tap) {
                const std::size_t number =
                    (std::size_t{1} * (o / block) * taps + tap) * tiles + i / tile_channels;
                const int pair = i % tile_channels / 2;
                weights_[number * tile + (pair * block + o % block) * 2 + i % 2] =
                    toBfloat16(*weights++);
            }
}

Tiled TiledConvolution::describe(const Maps& maps) const {
    const int block = kernels().lanes;
    Tiled t = {};
    t.in = static_cast<const Bfloat16*>(maps.in);
    t.in_blocks = shape_.in / block;
    setSizes(t, shape_, maps);
    t.weights = weights_.data();
    t.out = static_cast<Bfloat16*>(maps.out);
    t.epilogue = {bias_.data(), static_cast<const Bfloat16*>(maps.residual), before_, after_};
    return t;
}

void TiledConvolution::run(const Maps& maps, BufferPool& pool) const {
    const int rows = rowsOfTask(maps.height, maps.width);
    const Tiled whole = describe(maps);
    const int patch_rows = reach(rows, shape_, 0);
    const std::size_t patch_pixels =
        std::size_t{1} * patch_rows * whole.patch_width * ceilDivide(whole.in_blocks, 2) +
        std::size_t{tile_overrun} * shape_.stride[1];
    const std::size_t sums =
        (std::size_t{1} * rows * std::max(whole.patch_width, whole.width) + tile_overrun) *
        kernels().lanes;
    parallelFor(ceilDivide(maps.height, rows), [&](const cv::Range& range) {
        constexpr std::size_t pixel_floats = tile_channels * sizeof(Bfloat16) / sizeof(float);
        BufferPool::Buffer buffer = pool.borrow(patch_pixels * pixel_floats + 2 * sums);
        Tiled part = whole;
        part.patch = reinterpret_cast<Bfloat16*>(buffer.data());
        part.sums = buffer.data() + patch_pixels * pixel_floats;
        part.sums_step = static_cast<std::ptrdiff_t>(sums);
        for (int i = range.start; i < range.end; ++i) {
            part.first = i * rows;
            part.last = std::min(maps.height, part.first + rows);
            kernels().tiled(part);
        }
    });
}

} // namespace irmb::cpu
