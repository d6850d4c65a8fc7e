#pragma once

#include "onnx/graph_view.hpp"

namespace irmb::onnx {

/// Where the elements of a tensor come from after a chain of operators that only move data. It is
/// found by running the chain on element numbers, so it does not matter how an exporter spells a
/// permutation.
struct Layout {
    std::string source;         ///< tensor at which the chain starts
    Shape shape;                ///< of the tensor at the end of the chain
    std::vector<int32_t> index; ///< element i is element index[i] of source; -1: a zero of padding
    std::vector<int> nodes;     ///< indices of the chain's nodes
};

/// True for nodes that move elements without changing them: Reshape, Transpose, Slice, Split,
/// Gather by a constant, Squeeze, Unsqueeze, Flatten, zero Pad, Identity.
bool isMovement(const GraphView& view, const Node& node);

/// Tensors from `tensor` back along its movement chain, nearest first, itself included.
std::vector<std::string> movementChain(const GraphView& view, const std::string& tensor);

/// Layout of `tensor` relative to `source`, a tensor of its movement chain. Empty when a shape on
/// the way is unknown or the map is too large to number.
std::optional<Layout> traceBack(const GraphView& view, const std::string& tensor,
                                const std::string& source);

/// Extends `layout` (which ends at some tensor) by the movement node that reads that tensor and
/// whose output `output` is wanted. Returns false when the node is no movement or cannot be run.
bool extend(const GraphView& view, int node, const std::string& output, Layout& layout);

/// A tensor times a scalar constant.
struct Scaled {
    std::string source;
    double factor = 1;
    std::vector<int> nodes; ///< Mul and Div by a scalar between source and tensor
};

/// Strips all multiplications and divisions by scalar constants off `tensor`.
Scaled stripScale(const GraphView& view, const std::string& tensor);

/// The layout of a tensor that has not been moved. Empty when its shape is unknown or too large.
std::optional<Layout> identityLayout(const GraphView& view, const std::string& tensor);

} // namespace irmb::onnx
