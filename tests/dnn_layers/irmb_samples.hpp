#pragma once

#include <irmb_dnn/irmb_params.hpp>

#include <opencv2/core.hpp>

#include <random>

/// Seeded random iRMBs for the tests.
namespace irmb::test {

using Random = std::mt19937;

/// float32 tensor of normally distributed values.
cv::Mat randomTensor(const std::vector<int>& shape, float mean, float deviation, Random& random);

/// Weights that `params` call for, scaled so that maps keep a standard deviation of about one and
/// the softmax is far from uniform.
IrmbWeights randomWeights(const IrmbParams& params, Random& random);

/// Any combination of the parameters that checkParams() accepts, with few channels.
IrmbParams randomParams(Random& random);

/// "ln_2d gelu C=24 M=48 ..." for messages of failed tests.
std::string describe(const IrmbParams& params);

/// Largest |a - b|.
double maxDifference(const cv::Mat& a, const cv::Mat& b);

/// 2e-5 * max(1, largest |expected|), what float32 must keep to.
double tolerance(const cv::Mat& expected);

} // namespace irmb::test
