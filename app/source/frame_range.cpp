#include "frame_range.hpp"

#include <opencv2/core.hpp>

#include <charconv>
#include <cmath>

namespace vigil {

bool Position::reachedBy(const Frame& frame) const {
    // Time stamps are rounded to the time base of the stream, a tenth of a millisecond at worst.
    constexpr double rounding_ms = 0.1;
    return in_seconds ? frame.time_ms + rounding_ms >= value * 1000
                      : static_cast<double>(frame.index) >= value;
}

Position parsePosition(const std::string& text) {
    Position position;
    position.in_seconds = !text.empty() && text.back() == 's';
    const char* end = text.data() + text.size() - (position.in_seconds ? 1 : 0);
    const auto [rest, error] = std::from_chars(text.data(), end, position.value);
    const bool is_number =
        error == std::errc() && rest == end && std::isfinite(position.value) && position.value >= 0;
    if (!is_number || (!position.in_seconds && position.value != std::floor(position.value)))
        CV_Error(cv::Error::StsBadArg, "'" + text +
                                           "' is neither a frame number such as 250 nor "
                                           "a time such as 12.5s");
    return position;
}

FramePicker::Verdict FramePicker::judge(const Frame& frame) {
    if (range_.end.reachedBy(frame))
        return Verdict::Finished;
    if (!range_.start.reachedBy(frame))
        return Verdict::Skip;
    return seen_++ % range_.every == 0 ? Verdict::Take : Verdict::Skip;
}

} // namespace vigil
