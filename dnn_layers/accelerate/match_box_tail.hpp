#pragma once

#include "accelerate/units.hpp"

#include <optional>

namespace irmb::accelerate {

/// Recognises the tail of a YOLOv10's one-to-one head around the Softmax with this index: from the
/// maps of logits, one a scale, to [B, 4 + classes, anchors].
std::optional<Unit> matchBoxTail(const onnx::GraphView& view, int softmax);

} // namespace irmb::accelerate
