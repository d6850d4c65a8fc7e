#pragma once

#include "onnx/graph.hpp"

namespace irmb::onnx {

/// Takes padding out of 1x1 convolutions, where simplifiers put it, into a Pad in front of them.
/// An iRMB with a single window is easier to recognise then, and OpenCV's 1x1 convolutions are
/// right: 5.0.0 leaves the padded pixels of their output unwritten.
void unmergePointwisePads(OnnxModel& model, Facts& facts);

/// The same for depthwise convolutions whose padding OpenCV's classic engine gets wrong (seen in
/// 5.0.0): 3x3 kernels with a dilation beyond the padding, or on maps that are one pixel wide or
/// high.
void unmergeDepthwisePads(OnnxModel& model, Facts& facts);

} // namespace irmb::onnx
