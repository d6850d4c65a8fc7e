#pragma once

#include <opencv2/core/mat.hpp>

#include <string>
#include <vector>

namespace vigil::test {

/// A fresh path in a folder that goes with the program; no two calls give the same.
std::string temporaryPath(const std::string& suffix);

void writeFile(const std::string& path, const std::string& bytes);

/// The bytes of a .npy file with this header dictionary, padded as NumPy does it.
std::string npyBytes(const std::string& header, const std::string& data, int version = 1);

/// Elements as they lie in memory.
template <typename T>
std::string bytesOf(const std::vector<T>& values) {
    return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

/// Writes a continuous CV_32F or CV_64F array and returns the path.
std::string writeNpy(const cv::Mat& array);

} // namespace vigil::test
