#include "cpu/dense_convolution.hpp"

#include "cpu/blocked_convolution.hpp"
#include "cpu/tiled_convolution.hpp"

namespace irmb::cpu {

int reach(int count, const DenseConvolution::Shape& shape, int axis) {
    return (count - 1) * shape.stride[axis] + (shape.kernel[axis] - 1) * shape.dilation[axis] + 1;
}

std::unique_ptr<DenseConvolution> makeDenseConvolution(const DenseConvolution::Shape& shape,
                                                       bool padded, const float* weights,
                                                       const float* bias, Activation before,
                                                       Activation after, MapType type) {
    if (type == MapType::Bfloat16 && TiledConvolution::supports(shape, before, after))
        return std::make_unique<TiledConvolution>(shape, weights, bias, before, after);
    const bool pointwise = shape.kernel == std::array<int, 2>{1, 1};
    if ((pointwise && padded) || !BlockedConvolution::supports(shape, before, after))
        return nullptr;
    return std::make_unique<BlockedConvolution>(shape, weights, bias, before, after, type);
}

} // namespace irmb::cpu
