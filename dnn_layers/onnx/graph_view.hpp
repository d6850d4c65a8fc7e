#pragma once

#include "graph.hpp"

namespace irmb::onnx {

/// Read-only view of a specialised graph with the questions that matchers ask.
class GraphView {
public:
    GraphView(const OnnxModel& model, const Facts& facts)
        : model_(model), facts_(facts), links_(model.graph) {}

    const OnnxModel& model() const { return model_; }
    const Graph& graph() const { return model_.graph; }
    const Node& node(int index) const { return graph().nodes[index]; }
    const Links& links() const { return links_; }

    /// Node that makes `tensor`, or nullptr.
    const Node* producer(const std::string& tensor) const;
    int producerIndex(const std::string& tensor) const { return links_.producer(tensor); }
    /// The one node that reads `tensor`, or -1 when there is none, several, or it is an output.
    int soleConsumer(const std::string& tensor) const;
    /// Value of a constant tensor, or nullptr.
    const Tensor* constant(const std::string& tensor) const;
    /// The one value of a constant with a single floating-point element.
    std::optional<double> scalar(const std::string& tensor) const;
    /// Static shape, or nullptr.
    const Shape* shape(const std::string& tensor) const;
    /// Element type; Undefined where it is not known.
    DataType type(const std::string& tensor) const;

private:
    const OnnxModel& model_;
    const Facts& facts_;
    Links links_;
};

} // namespace irmb::onnx
