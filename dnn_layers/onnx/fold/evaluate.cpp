#include "evaluate.hpp"

namespace irmb::onnx {

namespace {

const EvaluateRules& rules() {
    static const EvaluateRules table = [] {
        EvaluateRules all;
        addElementwiseEvaluation(all);
        addMovementEvaluation(all);
        addIndexingEvaluation(all);
        addReductionEvaluation(all);
        return all;
    }();
    return table;
}

} // namespace

bool canEvaluate(const Node& node) {
    return node.domain.empty() && rules().count(node.op) != 0;
}

std::vector<Tensor> evaluate(const NodeContext& ctx, const std::vector<TensorFact>& outputs) {
    return canEvaluate(ctx.node) ? rules().at(ctx.node.op)(ctx, outputs) : std::vector<Tensor>{};
}

} // namespace irmb::onnx
