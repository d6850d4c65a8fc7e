#pragma once

#include "detector.hpp"

#include <memory>
#include <mutex>

namespace vigil {

/// A detector that can be exchanged while a pipeline runs, and shared by pipelines: one of them
/// infers at a time. Empty, it finds nothing.
class DetectorSlot : public Detector {
public:
    /// Takes effect with the next picture. Pictures on their way are decoded by the detector that
    /// saw them, which lives until then. Never waits for a forward pass.
    void set(std::shared_ptr<Detector> detector);
    std::shared_ptr<Detector> get() const;

    Inference infer(const cv::Mat& bgr) override;
    std::vector<irmb::Detection> decode(const Inference& inference) override;

private:
    mutable std::mutex mutex_;
    std::shared_ptr<Detector> detector_;
    std::mutex infer_mutex_;
};

} // namespace vigil
