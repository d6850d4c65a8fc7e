#pragma once

#include "node_context.hpp"

namespace irmb::onnx {

/// Computes the outputs of a node whose inputs are constants, with ONNX's semantics.
/// `outputs` are the facts that inferOutputs() gave; results have just those types and shapes
/// (NonZero, whose shape depends on values, aside). Empty: not something that can be folded, such
/// as an unknown operator or a division by zero.
std::vector<Tensor> evaluate(const NodeContext& ctx, const std::vector<TensorFact>& outputs);

/// True when evaluate() knows the operator.
bool canEvaluate(const Node& node);

using EvaluateRule = std::vector<Tensor> (*)(const NodeContext& ctx,
                                             const std::vector<TensorFact>& outputs);
using EvaluateRules = std::unordered_map<std::string, EvaluateRule>;

void addElementwiseEvaluation(EvaluateRules& rules);
void addMovementEvaluation(EvaluateRules& rules);
void addIndexingEvaluation(EvaluateRules& rules);
void addReductionEvaluation(EvaluateRules& rules);

} // namespace irmb::onnx
