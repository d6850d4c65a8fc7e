#pragma once

#include <irmb_dnn/irmb_params.hpp>

#include <opencv2/core.hpp>

#include <string>

namespace irmb::test {

/// A random iRMB whose parameters pass checkParams(), and whose residuals fit maps of every size.
IrmbParams randomParams(cv::RNG& rng);

/// Random weights of a size that keeps activations near 1.
IrmbWeights randomWeights(const IrmbParams& params, cv::RNG& rng);

/// Uniform in -1..1.
cv::Mat randomMap(const std::vector<int>& shape, cv::RNG& rng);

/// All parameters in one line, for SCOPED_TRACE.
std::string describe(const IrmbParams& params);

} // namespace irmb::test
