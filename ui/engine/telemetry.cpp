#include "telemetry.hpp"

#include <algorithm>
#include <limits>

namespace vigil::ui {
namespace {

constexpr std::chrono::seconds fps_window{2};
constexpr double no_frame = std::numeric_limits<double>::quiet_NaN();

int64_t secondOf(Telemetry::Clock::time_point time) {
    return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

std::map<int, int> countClasses(const std::vector<irmb::Detection>& detections) {
    std::map<int, int> counts;
    for (const irmb::Detection& found : detections)
        ++counts[found.class_id];
    return counts;
}

} // namespace

void Telemetry::add(const FrameResult& result, Clock::time_point now) {
    const std::lock_guard<std::mutex> lock(mutex_);
    objects_ = countClasses(result.detections);
    if (result.repeated)
        return;
    arrivals_.push_back(now);
    while (now - arrivals_.front() > fps_window)
        arrivals_.pop_front();
    const std::chrono::duration<double, std::milli> age = now - result.captured_at;
    latency_ms_ = age.count();
    const double times[] = {result.times.decode_ms, result.times.preprocess_ms,
                            result.times.inference_ms, result.times.postprocess_ms,
                            result.times.write_ms};
    for (std::size_t stage = 0; stage < StageCount; ++stage) {
        stage_ms_[stage].push_back(times[stage]);
        if (stage_ms_[stage].size() > history_frames)
            stage_ms_[stage].pop_front();
    }
    if (seconds_.empty() || seconds_.back().number != secondOf(now))
        seconds_.push_back({secondOf(now), {}});
    for (const auto& [class_id, count] : objects_) {
        int& most = seconds_.back().most[class_id];
        most = std::max(most, count);
    }
    while (seconds_.back().number - seconds_.front().number >= history_s)
        seconds_.pop_front();
}

void Telemetry::clear() {
    const std::lock_guard<std::mutex> lock(mutex_);
    arrivals_.clear();
    for (std::deque<double>& times : stage_ms_)
        times.clear();
    latency_ms_ = 0;
    objects_.clear();
    seconds_.clear();
}

Telemetry::Snapshot Telemetry::snapshot(Clock::time_point now) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    Snapshot snapshot;
    const auto recent =
        std::count_if(arrivals_.begin(), arrivals_.end(),
                      [&](Clock::time_point arrival) { return now - arrival <= fps_window; });
    if (recent > 1) {
        const auto first = arrivals_.end() - recent;
        const std::chrono::duration<double> span = arrivals_.back() - *first;
        if (span.count() > 0)
            snapshot.fps = static_cast<double>(recent - 1) / span.count();
    }
    snapshot.latency_ms = latency_ms_;
    for (std::size_t stage = 0; stage < StageCount; ++stage)
        snapshot.stage_ms[stage].assign(stage_ms_[stage].begin(), stage_ms_[stage].end());
    snapshot.objects = objects_;
    if (seconds_.empty())
        return snapshot;
    const int64_t oldest = seconds_.front().number;
    const auto place = [oldest](const Second& second) {
        return static_cast<std::size_t>(second.number - oldest);
    };
    std::vector<double> nothing_found(place(seconds_.back()) + 1, no_frame);
    for (const Second& second : seconds_)
        nothing_found[place(second)] = 0;
    for (const Second& second : seconds_)
        for (const auto& [class_id, most] : second.most) {
            const auto line = snapshot.per_second.try_emplace(class_id, nothing_found).first;
            line->second[place(second)] = most;
        }
    return snapshot;
}

} // namespace vigil::ui
