#pragma once

#include "onnx/graph_view.hpp"

#include <string>
#include <vector>

/// Where the rows of a detection head come from. Private to detection_head.
namespace irmb::onnx {

/// A range of rows of a tensor that holds one column an anchor: [B, rows, anchors], or
/// [B, anchors, rows] when `anchor_major`.
struct Rows {
    std::string tensor;
    bool anchor_major = false;
    int64_t begin = 0;
    int64_t count = 0;
    int64_t total = 0; ///< rows of the tensor

    bool isWhole() const { return begin == 0 && count == total; }
};

/// `rows` and, step by step, the tensors that they were copied from through Transpose, Split, Slice
/// and Concat; the origin comes last.
std::vector<Rows> traceRows(const GraphView& view, const Rows& rows);

} // namespace irmb::onnx
