#pragma once

#include <opencv2/dnn.hpp>

#include <map>
#include <string>
#include <vector>

namespace vigil {

/// What the layers of one type cost in one forward pass.
struct LayerTypeTime {
    std::string type;
    int count = 0; ///< layers that ran on their own, not fused into another
    double ms = 0; ///< mean over the passes
};

/// Adds up the times that OpenCV takes of its layers in every forward pass. There are none with
/// the CUDA backend.
class LayerTimes {
public:
    /// Takes in the last forward pass of `net`.
    void addPass(cv::dnn::Net& net);
    /// Most expensive type first.
    std::vector<LayerTypeTime> table() const;

private:
    std::map<std::string, LayerTypeTime> types_; // milliseconds of all passes together
    int passes_ = 0;
};

} // namespace vigil
