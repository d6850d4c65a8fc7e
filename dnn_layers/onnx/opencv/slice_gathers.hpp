#pragma once

#include "onnx/graph.hpp"

namespace irmb::onnx {

/// Writes Gather with one constant index, as exporters write qk[0], as Slice and Reshape, which
/// OpenCV's CUDA backend has; it has no Gather.
void sliceGathers(OnnxModel& model, Facts& facts);

} // namespace irmb::onnx
