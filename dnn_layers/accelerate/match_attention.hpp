#pragma once

#include "accelerate/units.hpp"

#include <optional>

namespace irmb::accelerate {

/// Recognises the global attention of a YOLOv10 around the Softmax with this index. It is one unit
/// from the map of q, k and v to the map of results and, where something reads it, the map of v.
std::optional<Unit> matchGlobalAttention(const onnx::GraphView& view, int softmax);

} // namespace irmb::accelerate
