#pragma once

#include "accelerate/region.hpp"
#include "onnx/graph_view.hpp"

namespace irmb::accelerate {

/// Nodes of a graph that become one step of a region.
struct Unit {
    Operation operation;
    std::vector<int> nodes; ///< indices, ascending
    std::vector<std::string> inputs;
    std::vector<std::string> outputs;
};

/// Everything in a specialised, simplified graph that a region can compute: convolutions with the
/// activation and the addition behind them, pooling, resizing and so on, each node in one unit at
/// most. All tensors between units are float32 maps [batch, C, H, W] with the batch of the network;
/// a detector's tail gives [batch, C, anchors], which no unit reads.
std::vector<Unit> findUnits(const onnx::GraphView& view);

} // namespace irmb::accelerate
