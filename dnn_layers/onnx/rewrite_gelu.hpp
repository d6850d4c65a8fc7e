#pragma once

#include "graph.hpp"

namespace irmb::onnx {

/// Writes every GELU in the one spelling that OpenCV's importers fuse into a layer:
/// x / sqrt(2), Erf, + 1, * x, * 0.5, constants second. OpenCV 5.0.0 crashes on others, and older
/// versions do not know the operator Gelu.
void rewriteGelu(OnnxModel& model, Facts& facts);

} // namespace irmb::onnx
