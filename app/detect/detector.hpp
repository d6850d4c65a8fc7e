#pragma once

#include <irmb_dnn/detection.hpp>

#include <opencv2/core/mat.hpp>

#include <memory>
#include <vector>

namespace vigil {

class Detector;

/// The network's answer to one picture, not decoded yet.
struct Inference {
    cv::Mat output;            ///< the network's first output
    irmb::Letterbox placement; ///< of the picture in the network's input
    double preprocess_ms = 0;
    double inference_ms = 0;
    std::shared_ptr<Detector> detector; ///< the one that made it, where that can change
};

/// Finds objects in pictures, in two steps that may run in two threads.
class Detector {
public:
    virtual ~Detector() = default;

    /// Letterbox and forward pass. `bgr` is 8-bit and not empty. One thread at a time.
    virtual Inference infer(const cv::Mat& bgr) = 0;

    /// Objects in pixels of the picture, best first.
    virtual std::vector<irmb::Detection> decode(const Inference& inference) = 0;
};

} // namespace vigil
