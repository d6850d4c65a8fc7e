#pragma once

#include "accelerate/units.hpp"

namespace irmb::accelerate {

/// A region with its place in the graph.
struct CutRegion {
    Region region;
    std::vector<int> units; ///< indices, in the order of the region's steps
    std::vector<int> nodes; ///< indices
    std::vector<std::string> inputs;
    std::vector<std::string> outputs;
};

/// Joins units to regions that are as large as can be: no path leads out of a region and back into
/// it. Regions with fewer than two convolutions are not worth their borders and are left out.
std::vector<CutRegion> cutRegions(const onnx::GraphView& view, const std::vector<Unit>& units);

} // namespace irmb::accelerate
