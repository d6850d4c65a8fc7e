#pragma once

#include "graph_view.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace irmb::onnx {

/// The attribute `axis` of `node`, made positive for the rank of its first input; -1 when that is
/// unknown.
int64_t axisOf(const GraphView& view, const Node& node, int64_t fallback);

/// Where along `axis` of its source the range begins that a Split or Slice copies to its `output`;
/// nothing where `node` does anything else, or takes less than all of another axis.
std::optional<int64_t> rangeBegin(const GraphView& view, const Node& node,
                                  const std::string& output, std::size_t axis);

} // namespace irmb::onnx
