#pragma once

#include "detector.hpp"

#include <memory>
#include <mutex>

namespace vigil {

/// A detector that can be exchanged while a pipeline runs, and shared by pipelines: one of them
/// infers at a time. Empty, it finds nothing.
class DetectorSlot : public Detector {
public:
    /// Takes effect with the next picture that is prepared. Those on their way go through the
    /// detector that prepared them, which lives until then. Never waits for a forward pass.
    void set(std::shared_ptr<Detector> detector);
    std::shared_ptr<Detector> get() const;

    Prepared prepare(const cv::Mat& bgr) override;
    Inference infer(const Prepared& picture) override;
    std::vector<irmb::Detection> decode(const Inference& inference) override;

private:
    mutable std::mutex mutex_;
    std::shared_ptr<Detector> detector_;
    std::mutex infer_mutex_;
};

} // namespace vigil
