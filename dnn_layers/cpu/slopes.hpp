#pragma once

#include <opencv2/core/mat.hpp>

#include <vector>

namespace irmb::cpu {

/// One slope of PReLU for each of `channels` channels, from [channels], [1] or no slopes.
inline std::vector<float> slopesOf(const cv::Mat& slopes, int channels) {
    if (slopes.empty())
        return std::vector<float>(channels, 0.f);
    const float* first = slopes.ptr<float>();
    if (slopes.total() == 1)
        return std::vector<float>(channels, *first);
    return std::vector<float>(first, first + channels);
}

} // namespace irmb::cpu
