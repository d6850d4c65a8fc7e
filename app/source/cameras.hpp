#pragma once

#include <opencv2/core/types.hpp>

#include <string>
#include <vector>

namespace vigil {

/// A camera of this machine.
struct Camera {
    std::string device;          ///< "/dev/video0", as openSource() takes it
    std::string name;            ///< as its driver calls it
    std::vector<cv::Size> sizes; ///< pixels, largest first; empty: the driver does not list them
};

/// The Video4Linux devices that deliver pictures. Asks the drivers, which takes milliseconds.
std::vector<Camera> listCameras();

} // namespace vigil
