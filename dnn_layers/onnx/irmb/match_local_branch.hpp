#pragma once

#include "onnx/graph_view.hpp"

#include <irmb_dnn/irmb_params.hpp>

#include <set>

namespace irmb::onnx {

/// The part of an iRMB behind the attention: steps 3 to 6 of docs/irmb-node.md.
struct LocalBranchMatch {
    IrmbParams params;   ///< of the whole block
    IrmbWeights weights; ///< likewise
    std::string skip;    ///< tensor that the outer residual adds; "" without skip
    std::string output;
    std::set<int> nodes;
    std::string mismatch; ///< why this is not an iRMB's local branch; empty when it is
};

/// Follows the map `y`, [B, M, H, W], forward and completes the parameters and weights of what
/// makes it. The result's `mismatch` tells what is different.
LocalBranchMatch matchLocalBranch(const GraphView& view, const std::string& y,
                                  const IrmbParams& params, const IrmbWeights& weights);

} // namespace irmb::onnx
