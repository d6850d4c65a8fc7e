#pragma once

#include <opencv2/dnn.hpp>

#include <string>
#include <vector>

namespace vigil {

/// What the layers of one type cost in one forward pass.
struct LayerTypeTime {
    std::string type;
    int count = 0; ///< layers that ran
    double ms = 0; ///< mean over the passes
};

/// Profiles `passes` forward passes of a network whose input is set, after its first pass.
/// Most expensive type first. Empty where OpenCV measures nothing, as with the CUDA backend.
std::vector<LayerTypeTime> profileLayerTypes(cv::dnn::Net& net, const cv::Mat& input, int passes);

} // namespace vigil
