#pragma once

#include <opencv2/core/mat.hpp>

#include <string>
#include <vector>

namespace vigil {

/// An array of a NumPy .npy file in row-major order.
struct NpyArray {
    std::vector<int> shape; ///< empty for a scalar
    cv::Mat values;         ///< one row of all elements, CV_32F or CV_64F

    bool isFloat32() const { return values.depth() == CV_32F; }
    /// The elements with their shape, sharing memory. The shape must not be empty.
    cv::Mat blob() const;
};

/// "1x3x640x640"; "scalar" for an empty shape.
std::string shapeText(const std::vector<int>& shape);

/// Reads a .npy file (format versions 1 to 3) of little-endian float32 or float64, row-major or
/// Fortran order. Sizes are checked against the file before memory is taken.
/// Throws cv::Exception with one line that names the file, the fault and the remedy.
NpyArray readNpy(const std::string& path);

} // namespace vigil
