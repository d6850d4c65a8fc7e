#pragma once

#include <irmb_dnn/irmb_params.hpp>

#include <opencv2/core.hpp>

#include <string>

namespace irmb::test {

/// A random iRMB whose parameters pass checkParams(), and whose residuals fit maps of every size.
IrmbParams randomParams(cv::RNG& rng);

/// Any combination that checkParams() accepts: odd sizes of heads and kernels, strides, the
/// attention alone. The depthwise kernel may not fit a small map.
IrmbParams anyParams(cv::RNG& rng);

/// The block that YOLO ports build by default, with `channels` channels.
IrmbParams defaultParams(int channels);

/// Whether a map of this size is large enough for the block.
bool fits(const IrmbParams& params, int height, int width);

/// Random weights of a size that keeps activations near 1 and the softmax far from uniform.
IrmbWeights randomWeights(const IrmbParams& params, cv::RNG& rng);

/// Uniform in -1..1.
cv::Mat randomMap(const std::vector<int>& shape, cv::RNG& rng);

/// Largest |a - b| of two float32 tensors; infinite if one has more elements, NaN or infinity.
double maxDifference(const cv::Mat& a, const cv::Mat& b);

/// 2e-5 * max(1, largest |expected|): what single precision must keep to.
double tolerance(const cv::Mat& expected);

/// All parameters in one line, for SCOPED_TRACE.
std::string describe(const IrmbParams& params);

} // namespace irmb::test
