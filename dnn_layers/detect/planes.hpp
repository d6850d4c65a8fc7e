#pragma once

#include <opencv2/core/mat.hpp>

namespace irmb {

/// Interleaved 8-bit BGR to three float planes, RGB, 0..1.
void toPlanes(const cv::Mat& bgr, float* planes);

} // namespace irmb
