#pragma once

#include <opencv2/core/version.hpp>
#include <opencv2/dnn.hpp>

/// What differs between OpenCV 4.x and 5.x in the interface of a layer.
namespace irmb {

#if CV_VERSION_MAJOR >= 5
using MatShape = cv::MatShape;
#else
using MatShape = cv::dnn::MatShape;
#endif

/// Whether Layer has getTypes().
#define IRMB_LAYER_HAS_TYPES (CV_VERSION_MAJOR >= 5)

} // namespace irmb
