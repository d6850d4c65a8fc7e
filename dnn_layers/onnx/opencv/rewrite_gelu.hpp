#pragma once

#include "onnx/graph.hpp"

namespace irmb::onnx {

/// Writes every exact GELU in the one spelling that OpenCV's importers fuse into a layer:
/// x / sqrt(2), Erf, + 1, * x, * 0.5, constants second. OpenCV 5.0.0 crashes on others, and older
/// versions do not know the operator Gelu. The operator with approximate = "tanh", which OpenCV
/// takes for the exact one, becomes a product with a Sigmoid.
void rewriteGelu(OnnxModel& model, Facts& facts);

} // namespace irmb::onnx
