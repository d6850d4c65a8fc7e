#pragma once

#include "pipeline/pipeline.hpp"

#include <array>
#include <chrono>
#include <deque>
#include <map>
#include <mutex>
#include <vector>

namespace vigil::ui {

/// What a run did lately, for charts. Filled by the pipeline's threads, read by the window's.
class Telemetry {
public:
    using Clock = std::chrono::steady_clock;

    static constexpr std::size_t history_frames = 120;
    static constexpr int history_s = 300;

    enum Stage { Decode, Preprocess, Inference, Postprocess, Write, StageCount };

    struct Snapshot {
        double fps = 0;        ///< processed in the last two seconds
        double latency_ms = 0; ///< of the newest frame, from its capture to its result
        std::array<std::vector<double>, StageCount> stage_ms; ///< newest last
        std::map<int, int> objects;                           ///< of the newest frame, by class
        /// Most objects at a time, newest last; NaN where no frame came, which is not zero objects.
        std::map<int, std::vector<double>> per_second;
    };

    void add(const FrameResult& result, Clock::time_point now);
    void clear();
    Snapshot snapshot(Clock::time_point now) const;

private:
    struct Second {
        int64_t number = 0;
        std::map<int, int> most; ///< objects of a class in one frame
    };

    mutable std::mutex mutex_;
    std::deque<Clock::time_point> arrivals_;
    std::array<std::deque<double>, StageCount> stage_ms_;
    double latency_ms_ = 0;
    std::map<int, int> objects_;
    std::deque<Second> seconds_;
};

} // namespace vigil::ui
