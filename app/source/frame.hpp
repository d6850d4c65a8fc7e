#pragma once

#include <opencv2/core/mat.hpp>

#include <cstdint>
#include <string>

namespace vigil {

/// One picture of a source. A frame moves from stage to stage; nobody copies its pixels.
struct Frame {
    cv::Mat image;      ///< 8-bit BGR, upright
    int64_t index = 0;  ///< place in the source, counted from 0
    double time_ms = 0; ///< presentation time since the start of the source
    std::string name;   ///< file name of a still image, else empty
    int64_t jumps = 0;  ///< how often the source had jumped: frames across a jump are no neighbours
    double waited_ms = 0; ///< time that grab() waited until the frame was due, which is no work
};

} // namespace vigil
