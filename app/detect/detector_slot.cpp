#include "detector_slot.hpp"

namespace vigil {

void DetectorSlot::set(std::shared_ptr<Detector> detector) {
    const std::lock_guard<std::mutex> lock(mutex_);
    detector_.swap(detector); // the old one goes outside the lock, where it may take its time
}

std::shared_ptr<Detector> DetectorSlot::get() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return detector_;
}

Inference DetectorSlot::infer(const cv::Mat& bgr) {
    const std::lock_guard<std::mutex> one_at_a_time(infer_mutex_);
    const std::shared_ptr<Detector> detector = get();
    if (!detector)
        return {};
    Inference inference = detector->infer(bgr);
    inference.detector = detector;
    return inference;
}

std::vector<irmb::Detection> DetectorSlot::decode(const Inference& inference) {
    if (!inference.detector)
        return {};
    return inference.detector->decode(inference);
}

} // namespace vigil
