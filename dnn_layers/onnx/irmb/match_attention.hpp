#pragma once

#include "match_norm.hpp"

#include <irmb_dnn/irmb_params.hpp>

#include <set>

namespace irmb::onnx {

/// The window attention of one iRMB: steps 1 and 2 of docs/irmb-node.md.
struct AttentionMatch {
    IrmbParams params; ///< all of Part::Attention
    IrmbWeights weights;
    NormMatch norm;      ///< norm.source is the input of the block
    std::string base;    ///< normalised map, [B, C, H, W], or [B, H, W, C] after a layer norm
    std::string output;  ///< [B, M, H, W]; padded H and W when it is not cropped
    bool cropped = true; ///< false: padded windows are put back whole, as no iRMB does
    int height = 0;
    int width = 0;
    std::set<int> nodes;  ///< between base and output
    std::string obstacle; ///< why it cannot be fused although it was recognised; or empty
};

/// Checks whether the Softmax at node `softmax` is the heart of an iRMB's window attention, in both
/// orders (attn_pre or not). Empty when it computes anything else.
std::optional<AttentionMatch> matchAttention(const GraphView& view, int softmax);

} // namespace irmb::onnx
