#pragma once

#include "cpu/buffer_pool.hpp"
#include "cpu/kernels.hpp"

#include <array>
#include <vector>

namespace irmb::cpu {

enum class MapType { Float32, Bfloat16 };

/// A dense convolution between maps in whole blocks of Kernels::lanes channels, with what follows
/// it: after(before(conv(x) + bias) + residual). Packs the weights once; run() may then be called
/// from any number of threads at a time.
///
/// Between maps of Bfloat16 it multiplies in that type, also what Winograd transformed, and adds in
/// float32.
///
/// Kernels of 3 x 3 run by Winograd's F(4 x 4, 3 x 3) (Lavin and Gray, "Fast Algorithms for
/// Convolutional Neural Networks", 2015), a quarter of the products of the direct sum. It evaluates
/// at 0, +-2/3, +-3/2 and infinity, where float32 loses least: the root mean square error is twice
/// that of the direct sum, where the usual 0, +-1, +-2 have four times.
class BlockedConvolution {
public:
    struct Shape {
        int in = 0;  ///< channels, a multiple of the block
        int out = 0; ///< likewise
        std::array<int, 2> kernel = {1, 1};
        std::array<int, 2> stride = {1, 1};
        std::array<int, 2> dilation = {1, 1};
        int groups = 1;
    };

    /// Whether there is a fast way for these.
    static bool supports(const Shape& shape, Activation before, Activation after);

    /// `weights`: [out][in][kernel], `bias`: [out] or null.
    BlockedConvolution(const Shape& shape, const float* weights, const float* bias,
                       Activation before, Activation after, MapType type = MapType::Float32);
    BlockedConvolution(const BlockedConvolution&) = delete;
    BlockedConvolution& operator=(const BlockedConvolution&) = delete;

    /// Maps of the type that the constructor got.
    struct Maps {
        const void* in; ///< [in / lanes][in_height][in_width][lanes]
        int in_height;
        int in_width;
        const void* residual; ///< like out; null: none
        void* out;            ///< [out / lanes][height][width][lanes]
        int height;
        int width;
        int pad_top; ///< rows of zeros above; 0 for 1 x 1
        int pad_left;
    };

    void run(const Maps& maps, BufferPool& pool) const;

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
    int tilesOfTask(int tiles) const;

    Shape shape_;
    Activation before_;
    Activation after_;
    MapType type_;
    std::vector<float> memory_;
    const float* weights_ = nullptr; ///< in memory_, aligned for the vectors; or pairs of Bfloat16
    std::vector<float> bias_;
};

} // namespace irmb::cpu
