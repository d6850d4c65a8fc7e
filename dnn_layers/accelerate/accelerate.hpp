#pragma once

#include "accelerate/region_layer.hpp"
#include "onnx/graph.hpp"

#include <irmb_dnn/model.hpp>

namespace irmb::accelerate {

/// Regions that were put into a graph: to be kept until a net was made of it.
using RegionOffers = std::vector<std::unique_ptr<RegionOffer>>;

/// Replaces regions of a specialised, simplified graph by nodes `irmb::CpuRegion` that run faster
/// on the CPU than OpenCV's layers. What it does not know stays as it is. Only for a graph that
/// goes to OpenCV's importer in this process, never for a file. Throws cv::Exception when
/// `precision` cannot be had here.
RegionOffers accelerate(onnx::OnnxModel& model, onnx::Facts& facts, Precision precision,
                        AccelerationReport& report);

} // namespace irmb::accelerate
