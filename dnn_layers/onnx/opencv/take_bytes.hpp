#pragma once

#include "onnx/graph.hpp"

namespace irmb::onnx {

/// Makes the input of a network for colour images, float32 [B, 3, H, W], RGB, 0..1, an 8-bit one,
/// [B, H, W, 3], BGR, of the same name, with a node `irmb::Pixels` behind it
/// (layer/pixel_layer.hpp). Only for a graph that goes to OpenCV's importer in this process, never
/// for a file. Returns false and changes nothing when the network has another input.
bool takeBytes(OnnxModel& model);

} // namespace irmb::onnx
