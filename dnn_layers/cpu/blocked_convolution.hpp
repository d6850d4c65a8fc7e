#pragma once

#include "cpu/dense_convolution.hpp"
#include "cpu/kernels.hpp"

#include <vector>

namespace irmb::cpu {

/// A dense convolution of 1 x 1 or 3 x 3 by vectors.
///
/// Between maps of Bfloat16 it multiplies in that type, also what Winograd transformed, and adds in
/// float32.
///
/// Kernels of 3 x 3 run by Winograd's F(4 x 4, 3 x 3) (Lavin and Gray, "Fast Algorithms for
/// Convolutional Neural Networks", 2015), a quarter of the products of the direct sum. It evaluates
/// at 0, +-2/3, +-3/2 and infinity, where float32 loses least: the root mean square error is twice
/// that of the direct sum, where the usual 0, +-1, +-2 have four times.
class BlockedConvolution : public DenseConvolution {
public:
    /// Whether there is a fast way for these.
    static bool supports(const Shape& shape, Activation before, Activation after);

    /// `weights`: [out][in][kernel], `bias`: [out] or null.
    BlockedConvolution(const Shape& shape, const float* weights, const float* bias,
                       Activation before, Activation after, MapType type = MapType::Float32);
    BlockedConvolution(const BlockedConvolution&) = delete;
    BlockedConvolution& operator=(const BlockedConvolution&) = delete;

    /// Without padding for 1 x 1.
    void run(const Maps& maps, BufferPool& pool) const override;

private:
    bool isPointwise() const { return shape_.kernel[0] == 1; }
    template <typename Element>
    Element* makeRoom(std::size_t size);
    template <typename Element>
    std::size_t place(int out, int in) const;
    template <typename Element>
    void pack(const float* weights);
    template <typename Element>
    void runAs(const Maps& maps, BufferPool& pool) const;
    template <typename Element>
    void runPointwise(const Maps& maps, const Epilogue<Element>& epilogue, BufferPool& pool) const;
    template <typename Element>
    void runWinograd(const Maps& maps, const Epilogue<Element>& epilogue, BufferPool& pool) const;
    int tilesTogether() const;

    Shape shape_;
    Activation before_;
    Activation after_;
    MapType type_;
    std::vector<float> memory_;
    const float* weights_ = nullptr; ///< in memory_, aligned for the vectors; or pairs of Bfloat16
    std::vector<float> bias_;
};

} // namespace irmb::cpu
