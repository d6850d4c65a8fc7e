#pragma once

#include "onnx/graph.hpp"

namespace irmb::onnx {

/// How many leading inputs a node must have for the passes to read them without looking: those that
/// its operator requires. 0 for operators of other domains.
std::size_t requiredInputs(const Node& node);

} // namespace irmb::onnx
