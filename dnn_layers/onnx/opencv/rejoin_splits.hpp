#pragma once

#include "onnx/graph.hpp"

namespace irmb::onnx {

/// A Concat of all parts of a tensor, one after the other, takes the tensor itself, as those of C2f
/// can: each part is two copies less for OpenCV's CUDA backend. Parts of a Split that are wanted
/// elsewhere become slices where others are not.
void rejoinSplits(OnnxModel& model, Facts& facts);

} // namespace irmb::onnx
