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

Prepared DetectorSlot::prepare(const cv::Mat& bgr) {
    const std::shared_ptr<Detector> detector = get();
    if (!detector)
        return {};
    Prepared picture = detector->prepare(bgr);
    picture.detector = detector;
    return picture;
}

Inference DetectorSlot::infer(const Prepared& picture) {
    if (!picture.detector)
        return {};
    const std::lock_guard<std::mutex> one_at_a_time(infer_mutex_);
    Inference inference = picture.detector->infer(picture);
    inference.detector = picture.detector;
    return inference;
}

std::vector<irmb::Detection> DetectorSlot::decode(const Inference& inference) {
    if (!inference.detector)
        return {};
    return inference.detector->decode(inference);
}

} // namespace vigil
