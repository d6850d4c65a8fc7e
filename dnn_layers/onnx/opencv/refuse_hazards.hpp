#pragma once

#include "onnx/graph.hpp"

namespace irmb::onnx {

/// OpenCV's layers trust what they are given: a GatherElements or GatherND reads wherever its
/// indices point, and an integer division by zero ends the program. Throws cv::Exception
/// (StsOutOfRange) that names the node where the graph does not make sure that this cannot happen.
void refuseHazards(const OnnxModel& model, const Facts& facts);

} // namespace irmb::onnx
