#pragma once

#include "onnx/graph.hpp"

#include <irmb_dnn/model.hpp>

namespace irmb::onnx {

/// Finds the iRMBs of a specialised, simplified graph and replaces each by one `irmb::iRMB` node:
/// whole where the local branch is an iRMB's, else the attention core alone. Look-alikes with other
/// mathematics stay as they are. With `replace` false it only reports, all blocks as unfused.
/// Custom nodes that the file holds already are counted and stay.
FusionReport fuseIrmbs(OnnxModel& model, Facts& facts, bool replace);

/// For exports with an open input size. Throws cv::Exception when one was traced at a size that its
/// windows divide: it lacks the crop then, and makes a larger map of any other size.
void checkTracedSize(const OnnxModel& model, const Facts& facts);

/// Replaces every `irmb::iRMB` node by standard operators for the shapes in `facts`.
/// Returns the number of nodes replaced.
int expandIrmbs(OnnxModel& model, Facts& facts);

} // namespace irmb::onnx
