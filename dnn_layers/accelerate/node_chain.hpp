#pragma once

#include "onnx/graph_view.hpp"

#include <vector>

namespace irmb::accelerate {

/// Collects the nodes of a unit while a matcher walks along them.
class NodeChain {
protected:
    explicit NodeChain(const onnx::GraphView& view) : view_(view) {}
    ~NodeChain() = default;

    /// Adds the node to the unit if it is of this operator.
    bool keep(int index, const char* op) {
        if (index < 0 || !view_.node(index).is(op))
            return false;
        nodes_.push_back(index);
        return true;
    }

    const onnx::Node& last() const { return view_.node(nodes_.back()); }

    const onnx::GraphView& view_;
    std::vector<int> nodes_;
};

} // namespace irmb::accelerate
