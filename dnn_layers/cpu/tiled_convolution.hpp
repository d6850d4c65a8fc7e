#pragma once

#include "cpu/dense_convolution.hpp"
#include "cpu/kernels.hpp"

#include <vector>

namespace irmb::cpu {

/// A convolution between maps of Bfloat16 by the processor's tile registers: the direct sum for
/// kernels, strides and dilations of any size. Rows of the input are copied to patches with zeros
/// around them, where a tile is 16 pixels of 32 channels; sums are float32.
class TiledConvolution : public DenseConvolution {
public:
    static bool supports(const Shape& shape, Activation before, Activation after);

    TiledConvolution(const Shape& shape, const float* weights, const float* bias, Activation before,
                     Activation after);
    TiledConvolution(const TiledConvolution&) = delete;
    TiledConvolution& operator=(const TiledConvolution&) = delete;

    void run(const Maps& maps, BufferPool& pool) const override;

private:
    void pack(const float* weights);
    Tiled describe(const Maps& maps) const;

    Shape shape_;
    Activation before_;
    Activation after_;
    std::vector<Bfloat16> weights_;
    std::vector<float> bias_;
};

} // namespace irmb::cpu
