#pragma once

#include "onnx/graph.hpp"

namespace irmb::accelerate {

/// Replaces each global attention of a specialised, simplified graph that the CUDA kernel takes by
/// one node `irmb::GlobalAttention` (layer/attention_layer.hpp). Only for a graph that goes to
/// OpenCV's importer in this process, never for a file. Returns how many there were.
int fuseAttention(onnx::OnnxModel& model, const onnx::Facts& facts);

} // namespace irmb::accelerate
