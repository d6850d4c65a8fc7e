#include "paced_source.hpp"

namespace vigil {

using std::chrono::steady_clock;

PacedSource::PacedSource(std::unique_ptr<Source> recording, const Position& from)
    : recording_(std::move(recording)), info_(recording_->info()), from_(from) {
    info_.live = true;
}

bool PacedSource::grab(Frame& frame) {
    if (!recording_->grab(frame))
        return false;
    if (!from_.reachedBy(frame))
        return true;
    const std::chrono::duration<double, std::milli> offset(frame.time_ms);
    const auto age = std::chrono::duration_cast<steady_clock::duration>(offset);
    if (!started_)
        start_ = steady_clock::now() - age;
    started_ = true;
    std::unique_lock<std::mutex> lock(mutex_);
    return !wake_.wait_until(lock, start_ + age, [this] { return stopped_; });
}

void PacedSource::stop() noexcept {
    recording_->stop();
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        stopped_ = true;
    }
    wake_.notify_all();
}

} // namespace vigil
