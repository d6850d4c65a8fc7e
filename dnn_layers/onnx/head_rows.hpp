#pragma once

#include "graph.hpp"

#include <string>
#include <vector>

/// Where the rows of a detection head come from. Private to detection_head.
namespace irmb::onnx {

/// Read access to one state of a specialised graph.
class HeadGraph {
public:
    HeadGraph(const Graph& graph, const Facts& facts)
        : graph_(graph), facts_(facts), links_(graph) {}

    const Node* producer(const std::string& tensor) const;
    const Tensor* constant(const std::string& tensor) const;
    /// Static shape, or nothing.
    const Shape* shape(const std::string& tensor) const;
    /// `axis` of `node` made positive for the rank of its first input; -1 when it is unknown.
    int64_t axis(const Node& node, int64_t fallback) const;

private:
    const Graph& graph_;
    const Facts& facts_;
    Links links_;
};

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
std::vector<Rows> traceRows(const HeadGraph& view, const Rows& rows);

} // namespace irmb::onnx
