#pragma once

#include "onnx/graph.hpp"

namespace irmb::onnx {

/// Bounds of all elements of a tensor, both included.
struct ValueRange {
    double low = 0;
    double high = 0;
};

/// What can be said about the elements of tensors whatever the network's input is, by interval
/// arithmetic: indices from TopK and ArgMax and what exporters compute from them. Tensors with
/// unknown bounds are not in the result.
std::unordered_map<std::string, ValueRange> valueRanges(const OnnxModel& model, const Facts& facts);

} // namespace irmb::onnx
