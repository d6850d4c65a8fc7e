#pragma once

#include "onnx/graph.hpp"

namespace irmb::onnx {

/// Ends a network whose only output is a head [B, 4 + classes, N] of corners and scores (RawXyxy)
/// in a node `irmb::Candidates` (layer/candidate_layer.hpp), which takes the place of the
/// arithmetic of the boxes too. Only for a graph that goes to OpenCV's importer in this process,
/// never for a file. Returns how many candidates are kept, at most `most`; 0, and nothing is
/// changed, where the head is of another form or too large for the CUDA kernels.
int keepCandidates(OnnxModel& model, const Facts& facts, int most);

} // namespace irmb::onnx
