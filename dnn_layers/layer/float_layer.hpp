#pragma once

#include "layer/opencv_compat.hpp"

#include <vector>

namespace irmb {

/// A layer of OpenCV's DNN module that makes float32 of whatever it is given.
class FloatLayer : public cv::dnn::Layer {
public:
    using Layer::Layer;

#if IRMB_LAYER_HAS_TYPES
    void getTypes(const std::vector<cv::dnn::MatType>& /*in*/, int required_outputs,
                  int required_internals, std::vector<cv::dnn::MatType>& out,
                  std::vector<cv::dnn::MatType>& internals) const override {
        out.assign(required_outputs, CV_32F);
        internals.assign(required_internals, CV_32F);
    }
#endif
};

} // namespace irmb
