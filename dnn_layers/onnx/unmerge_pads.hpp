#pragma once

#include "graph.hpp"

namespace irmb::onnx {

/// Takes padding out of 1x1 convolutions, where simplifiers put it, into a Pad in front of them.
/// An iRMB with a single window is easier to recognise then, and OpenCV's 1x1 convolutions are
/// right: 5.0.0 leaves the padded pixels of their output unwritten.
void unmergePads(OnnxModel& model, Facts& facts);

} // namespace irmb::onnx
