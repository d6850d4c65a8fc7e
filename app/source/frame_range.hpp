#pragma once

#include "frame.hpp"

#include <limits>

namespace vigil {

/// A place in a video: a frame number, or a time in seconds.
struct Position {
    double value = 0;
    bool in_seconds = false;

    /// Whether `frame` lies at this place or behind it.
    bool reachedBy(const Frame& frame) const;
};

/// Reads "250" (a frame number) or "12.5s" (seconds). Throws cv::Exception (StsBadArg) otherwise.
Position parsePosition(const std::string& text);

/// Which frames of a source are wanted: from `start` up to but without `end`, every n-th.
struct FrameRange {
    Position start;
    Position end{std::numeric_limits<double>::infinity(), false};
    int every = 1;

    bool open() const { return end.value == std::numeric_limits<double>::infinity(); }
};

/// Picks the wanted frames while a source goes by.
class FramePicker {
public:
    enum class Verdict { Take, Skip, Finished };

    explicit FramePicker(const FrameRange& range) : range_(range) {}
    Verdict judge(const Frame& frame);

private:
    FrameRange range_;
    int64_t seen_ = 0;
};

} // namespace vigil
