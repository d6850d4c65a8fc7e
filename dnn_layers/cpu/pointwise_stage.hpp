#pragma once

#include "cpu/buffer_pool.hpp"
#include "cpu/map_view.hpp"
#include "cpu/packed_matrix.hpp"
#include "cpu/token_source.hpp"

#include <irmb_dnn/irmb_params.hpp>

#include <vector>

namespace irmb::cpu {

/// y = act(conv_v(x)) where no attention is woven into it: after the attention (attn_pre) or
/// without any. Copies x where there is no v at all.
class PointwiseStage {
public:
    PointwiseStage(const IrmbParams& params, const IrmbWeights& weights);

    /// `out` has the height and width of the image and dim_mid channels.
    void run(const TokenSource& x, const MapView& out, BufferPool& pool) const;

private:
    void runRow(int y, const TokenSource& x, const MapView& out, float* scratch) const;

    IrmbParams params_;
    std::vector<PackedMatrix> v_; ///< one a group; empty: no convolution
    std::vector<float> slopes_;
};

} // namespace irmb::cpu
