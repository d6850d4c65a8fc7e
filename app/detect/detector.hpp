#pragma once

#include <irmb_dnn/detection.hpp>

#include <opencv2/core/mat.hpp>

#include <memory>
#include <vector>

namespace vigil {

class Detector;

/// A picture as the network takes it.
struct Prepared {
    cv::Mat blob;
    irmb::Letterbox placement;          ///< of the picture in the network's input
    std::shared_ptr<Detector> detector; ///< the one that made it, where that can change
};

/// The network's answer to one picture, not decoded yet.
struct Inference {
    cv::Mat output; ///< the network's first output
    irmb::Letterbox placement;
    std::shared_ptr<Detector> detector; ///< that of the prepared picture
};

/// Finds objects in pictures, in three steps that may run in three threads, each in one at a time.
class Detector {
public:
    virtual ~Detector() = default;

    /// Letterbox. `bgr` is 8-bit and not empty.
    virtual Prepared prepare(const cv::Mat& bgr) = 0;

    /// Forward pass.
    virtual Inference infer(const Prepared& picture) = 0;

    /// Objects in pixels of the picture, best first.
    virtual std::vector<irmb::Detection> decode(const Inference& inference) = 0;
};

} // namespace vigil
