#pragma once

#include "cpu/buffer_pool.hpp"
#include "cpu/kernels.hpp"

#include <irmb_dnn/irmb_params.hpp>

#include <algorithm>
#include <array>
#include <memory>

namespace irmb::cpu {

enum class MapType { Float32, Bfloat16 };

/// A dense convolution between maps in whole blocks of Kernels::lanes channels, with what follows
/// it: after(before(conv(x) + bias) + residual). Packs the weights once; run() may then be called
/// from any number of threads at a time.
class DenseConvolution {
public:
    struct Shape {
        int in = 0;  ///< channels, a multiple of the block
        int out = 0; ///< likewise
        std::array<int, 2> kernel = {1, 1};
        std::array<int, 2> stride = {1, 1};
        std::array<int, 2> dilation = {1, 1};
        int groups = 1;
    };

    /// Maps of the type that the convolution was made for.
    struct Maps {
        const void* in; ///< [in / lanes][in_height][in_width][lanes]
        int in_height;
        int in_width;
        const void* residual; ///< like out; null: none
        void* out;            ///< [out / lanes][height][width][lanes]
        int height;
        int width;
        int pad_top; ///< rows of zeros above
        int pad_left;
    };

    virtual ~DenseConvolution() = default;
    virtual void run(const Maps& maps, BufferPool& pool) const = 0;
};

/// Places of the input, along an axis, that `count` places of the result need.
int reach(int count, const DenseConvolution::Shape& shape, int axis);

/// Fills in what Thin and Tiled, the arguments of kernels, have in common of sizes.
template <typename Arguments>
void setSizes(Arguments& a, const DenseConvolution::Shape& shape,
              const DenseConvolution::Maps& maps) {
    a.in_height = maps.in_height;
    a.in_width = maps.in_width;
    a.pad_top = maps.pad_top;
    a.pad_left = maps.pad_left;
    std::copy(shape.kernel.begin(), shape.kernel.end(), a.kernel);
    std::copy(shape.stride.begin(), shape.stride.end(), a.stride);
    std::copy(shape.dilation.begin(), shape.dilation.end(), a.dilation);
    a.out_blocks = shape.out / kernels().lanes;
    a.height = maps.height;
    a.width = maps.width;
    a.patch_width = reach(maps.width, shape, 1);
}

/// The fastest that there is for the processor, or null where there is none. `weights`:
/// [out][in][kernel], `bias`: [out] or null; `padded`: whether zeros lie around the input.
std::unique_ptr<DenseConvolution> makeDenseConvolution(const DenseConvolution::Shape& shape,
                                                       bool padded, const float* weights,
                                                       const float* bias, Activation before,
                                                       Activation after, MapType type);

} // namespace irmb::cpu
