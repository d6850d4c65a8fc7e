#pragma once

#include "node_context.hpp"

namespace irmb::onnx {

/// What is known of the outputs of `ctx.node`, one fact for each. An operator that has no rule
/// here, or whose shape depends on values known at run time only, gives facts without a shape.
/// Throws cv::Exception, naming the node, when the inputs contradict each other.
std::vector<TensorFact> inferOutputs(const NodeContext& ctx);

/// Keeps only the facts of tensors that still occur in the graph.
void forgetDead(const Graph& graph, Facts& facts);

/// A shape rule returns facts for the leading outputs; the others stay unknown.
using InferRule = std::vector<TensorFact> (*)(const NodeContext& ctx);
using InferRules = std::unordered_map<std::string, InferRule>;

void addElementwiseRules(InferRules& rules);
void addWindowRules(InferRules& rules);
void addMovementRules(InferRules& rules);
void addIndexingRules(InferRules& rules);
void addMatrixRules(InferRules& rules);
void addReductionRules(InferRules& rules);

/// Shape of the custom node `irmb::iRMB`, see docs/irmb-node.md.
std::vector<TensorFact> inferIrmb(const NodeContext& ctx);

} // namespace irmb::onnx
