#pragma once

#include "cpu/buffer_pool.hpp"
#include "cpu/map_view.hpp"
#include "cpu/packed_matrix.hpp"

#include <irmb_dnn/irmb_params.hpp>

#include <vector>

namespace irmb::cpu {

/// Steps 3 to 6: depthwise convolution, squeeze and excitation, projection and both residuals, tile
/// by tile of the output. With squeeze and excitation the convolution runs twice, first for its
/// mean, so that its result is never stored as a whole.
class LocalStage {
public:
    LocalStage(const IrmbParams& params, const IrmbWeights& weights);

    /// `y` is surrounded by dwPadding() zeros on each side, and followed by room for a vector.
    /// `residual` is the block's input, read only with has_skip. `out` is dense.
    void run(const MapView& y, const float* residual, const MapView& out, BufferPool& pool) const;

private:
    struct Area;
    struct Tiling;

    std::vector<float> gates(const MapView& y, const MapView& out, BufferPool& pool) const;
    std::vector<float> excite(std::vector<float> mean) const;
    void convolve(int channel, float gate, bool add_centre, const MapView& y, const Area& area,
                  float* result) const;
    void runArea(const Area& area, const MapView& y, const std::vector<float>& gate,
                 const float* residual, const MapView& out, BufferPool& pool) const;

    IrmbParams params_;
    std::vector<float> local_weight_;
    std::vector<float> local_bias_;
    PackedMatrix projection_;
    PackedMatrix reduce_;
    PackedMatrix expand_;
    std::vector<float> slopes_; ///< of PReLU, one a channel of the squeezed vector
};

} // namespace irmb::cpu
