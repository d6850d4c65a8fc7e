#pragma once

#include <opencv2/core.hpp>

#include <string>

namespace vigil_test {

/// Reads a .npy file of little-endian float32 or float64 in C order as CV_32F of any rank >= 1.
/// Throws cv::Exception that names the file otherwise.
cv::Mat readNpy(const std::string& path);

} // namespace vigil_test
