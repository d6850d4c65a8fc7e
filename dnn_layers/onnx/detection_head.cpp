#include "detection_head.hpp"

namespace irmb::onnx {

void analyseHead(OnnxModel& model, Facts& facts, bool cut, ModelInfo& info) {
    (void)facts;
    (void)cut;
    const ValueInfo& output = model.graph.outputs.front();
    if (!output.has_shape || output.shape.size() != 3)
        return;
    info.output_shape.assign(output.shape.begin(), output.shape.end());
    if (output.shape[2] == 6) {
        info.head = HeadKind::EndToEnd;
    } else if (output.shape[2] != 6) {
        info.head = HeadKind::RawXyxy;
        info.num_classes = 80;
    }
}

} // namespace irmb::onnx
