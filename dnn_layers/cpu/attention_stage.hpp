#pragma once

#include "cpu/buffer_pool.hpp"
#include "cpu/map_view.hpp"
#include "cpu/packed_matrix.hpp"
#include "cpu/token_source.hpp"

#include <irmb_dnn/irmb_params.hpp>

#include <vector>

namespace irmb::cpu {

/// The window attention (step 2), without v's convolution where that comes after it (attn_pre).
///
/// The map is cut into tiles: neighbouring windows of one row of windows, few enough for their
/// tokens to stay in the cache. A task takes one tile and some heads: it gathers the tokens of the
/// windows one window after the other, and for each head multiplies with its rows of q, k and v,
/// attends in each window and scatters the result. Padded tokens are all alike, so each window has
/// them as one further key with a multiplicity.
class AttentionStage {
public:
    AttentionStage(const IrmbParams& params, const IrmbWeights& weights);

    /// Channels of the result.
    int channels() const { return dim_value_ * params_.heads(); }

    /// `out` has the height and width of the image and channels() channels.
    void run(const TokenSource& x, const MapView& out, BufferPool& pool) const;

private:
    struct Grid;
    struct Tile;
    struct Task;
    struct Scratch;

    void packHead(int head, const IrmbWeights& weights);
    void packPadding(const IrmbWeights& weights);
    void runTask(const Task& task, const Tile& tile, const TokenSource& x, const MapView& out,
                 BufferPool& pool) const;
    void projectHead(int head, const Tile& tile, const Scratch& scratch) const;
    bool isBounded(int head, const Tile& tile, const Scratch& scratch) const;
    void attendHead(int head, const Task& task, const Tile& tile, const Scratch& scratch) const;

    IrmbParams params_;
    int dim_value_;                 ///< channels of v in one head
    std::vector<PackedMatrix> qkv_; ///< one a head: q, k, and v unless it has a matrix of its own
    std::vector<PackedMatrix> v_;   ///< one a head with v_group
    std::vector<float> slopes_;     ///< of PReLU, one a channel of v
    std::vector<float> padding_k_;  ///< k of a padded token
    std::vector<float> padding_v_;  ///< v of a padded token
};

} // namespace irmb::cpu
