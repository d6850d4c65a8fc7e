#pragma once

#include "frame_range.hpp"
#include "source.hpp"

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace vigil {

/// Plays a recording as if it were live: from `from` on, each frame comes when its time has come.
class PacedSource : public Source {
public:
    explicit PacedSource(std::unique_ptr<Source> recording, const Position& from = {});

    const SourceInfo& info() const override { return info_; }
    bool grab(Frame& frame) override;
    bool retrieve(Frame& frame) override { return recording_->retrieve(frame); }
    void stop() noexcept override;
    std::vector<std::string> warnings() const override { return recording_->warnings(); }

private:
    std::unique_ptr<Source> recording_;
    SourceInfo info_;
    Position from_;
    std::chrono::steady_clock::time_point start_;
    bool started_ = false;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool stopped_ = false;
};

} // namespace vigil
