#pragma once

#include "onnx/graph_view.hpp"

#include <irmb_dnn/irmb_params.hpp>
#include <irmb_dnn/model.hpp>

namespace irmb::onnx {

/// One iRMB found in a graph of standard operators.
struct IrmbMatch {
    BlockReport report; ///< what can be fused, and why not more
    IrmbParams params;  ///< of the node that replaces it, unless the outcome is Unfused
    IrmbWeights weights;
    std::string input;  ///< tensor that the node reads
    std::string output; ///< tensor that the node produces in place of the operators
};

/// Finds all iRMBs of a specialised, simplified graph, in graph order. The search starts at each
/// Softmax (blocks with attention) and at each depthwise Conv (blocks without) and accepts a block
/// only if what its operators compute is what an iRMB computes; names, order and spelling of the
/// operators do not matter. Look-alikes with other mathematics are not in the result.
std::vector<IrmbMatch> matchIrmbs(const GraphView& view);

} // namespace irmb::onnx
