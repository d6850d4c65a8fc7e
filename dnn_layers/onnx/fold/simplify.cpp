#include "infer.hpp"
#include "rewrites.hpp"
#include "specialise.hpp"

namespace irmb::onnx {

void simplify(OnnxModel& model, Facts& facts) {
    removeNoOps(model, facts);
    skipExpands(model, facts);
    spellOut(model, facts);
    mergeChains(model, facts);
    removeNoOps(model, facts);
    foldBatchNorms(model, facts);
    removeDead(model.graph);
    forgetDead(model.graph, facts);
}

} // namespace irmb::onnx
