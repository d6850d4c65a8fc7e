#pragma once

#include "cpu/dense_convolution.hpp"
#include "cpu/kernels.hpp"

#include <vector>

namespace irmb::cpu {

/// A convolution of a picture, or of another map of few channels that is not in blocks: Maps::in is
/// float32 [in][in_height][in_width], the other maps are as ever. A pixel of the input is broadcast
/// to the channels of a block of the result.
class ThinConvolution : public DenseConvolution {
public:
    static bool supports(const Shape& shape, Activation before, Activation after);

    ThinConvolution(const Shape& shape, const float* weights, const float* bias, Activation before,
                    Activation after, MapType type);
    ThinConvolution(const ThinConvolution&) = delete;
    ThinConvolution& operator=(const ThinConvolution&) = delete;

    void run(const Maps& maps, BufferPool& pool) const override;

private:
    template <typename Element>
    void runAs(const Maps& maps, BufferPool& pool) const;

    Shape shape_;
    Activation before_;
    Activation after_;
    MapType type_;
    std::vector<float> weights_; ///< [out / lanes][in][kernel][lanes]
    std::vector<float> bias_;
};

} // namespace irmb::cpu
