#include "video_source.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

extern "C" {
#include <libavformat/avformat.h>
}

namespace vigil {
namespace {

// OpenCV reports damage in the middle of a stream and the end of it alike. At the end a further
// try costs nothing, so only a long row of failures counts as the end, or one that takes long: a
// server that fell silent lets each try run into the read time-out.
constexpr int failures_at_end = 128;
constexpr std::chrono::seconds longest_failure{10};
// The announced number is often an estimate from duration and pace.
constexpr double plausible_shortfall = 0.03;
constexpr double fallback_fps = 25;
constexpr double max_fps = 1000;
constexpr double rounding_ms = 0.1; // of time stamps
constexpr double shortest_retreat_ms = 500;

double announcedFps(const cv::VideoCapture& capture) {
    const double fps = capture.get(cv::CAP_PROP_FPS);
    return std::isfinite(fps) && fps > 0 && fps <= max_fps ? fps : 0;
}

/// What the container says; 0 if it says nothing. OpenCV only tells a number of frames, which says
/// little of a video whose pace varies.
double durationMs(const std::string& url) {
    AVFormatContext* format = nullptr;
    if (avformat_open_input(&format, url.c_str(), nullptr, nullptr) != 0)
        return 0;
    const int64_t duration = format->duration;
    avformat_close_input(&format);
    return duration > 0 ? static_cast<double>(duration) * 1000 / AV_TIME_BASE : 0;
}

} // namespace

VideoSource::VideoSource(const std::string& name, cv::VideoCapture capture, double duration_ms)
    : capture_(std::move(capture)) {
    info_.name = name;
    info_.fps = announcedFps(capture_);
    const double count = capture_.get(cv::CAP_PROP_FRAME_COUNT);
    if (count > 0 && count < 1e12)
        info_.frame_count = static_cast<int64_t>(count);
    const double counted_ms =
        std::max<double>(0, static_cast<double>(info_.frame_count)) * stepMs();
    info_.duration_ms = duration_ms > 0 ? duration_ms : counted_ms;
    info_.seekable = info_.duration_ms > 0;
    first_is_grabbed_ = advance();
    if (!first_is_grabbed_)
        CV_Error(cv::Error::StsError, "'" + name +
                                          "' holds no frame that can be decoded; the "
                                          "file is damaged or its codec is unknown, check it with "
                                          "ffprobe");
    at_end_ = false;
}

bool VideoSource::advance() {
    const auto start = std::chrono::steady_clock::now();
    for (int failures = 0; failures < failures_at_end && !stopped_; ++failures) {
        if (capture_.grab()) {
            damaged_ += failures;
            return true;
        }
        if (std::chrono::steady_clock::now() - start > longest_failure)
            break;
    }
    at_end_ = true;
    return false;
}

double VideoSource::stepMs() const {
    return 1000 / (info_.fps > 0 ? info_.fps : fallback_fps);
}

/// Streams without time stamps, and stamps that stand still or go back, fall back on the pace.
double VideoSource::timeOfFrame() const {
    const double stamp = capture_.get(cv::CAP_PROP_POS_MSEC);
    if (std::isfinite(stamp) && stamp > last_time_ms_)
        return std::max(stamp, 0.0);
    return last_time_ms_ < 0 ? 0 : last_time_ms_ + stepMs();
}

bool VideoSource::grab(Frame& frame) {
    if (at_end_ || (!first_is_grabbed_ && !advance()))
        return false;
    first_is_grabbed_ = false;
    last_time_ms_ = timeOfFrame();
    frame.time_ms = last_time_ms_;
    frame.index = next_index_++;
    if (frame.index == static_cast<int64_t>(times_ms_.size()))
        times_ms_.push_back(frame.time_ms);
    return true;
}

int64_t VideoSource::indexAt(double time_ms) const {
    const auto known = std::lower_bound(times_ms_.begin(), times_ms_.end(), time_ms - rounding_ms);
    if (known != times_ms_.end())
        return known - times_ms_.begin();
    const double first_ms = times_ms_.empty() ? 0 : times_ms_.front();
    return std::max(static_cast<int64_t>(times_ms_.size()),
                    static_cast<int64_t>(std::llround((time_ms - first_ms) / stepMs())));
}

/// Lets OpenCV aim at a place and decode a frame there. It counts in frames of the announced pace,
/// so this may lie before or behind the place.
bool VideoSource::land(double time_ms) {
    if (time_ms <= 0)
        capture_.set(cv::CAP_PROP_POS_FRAMES, 0);
    else
        capture_.set(cv::CAP_PROP_POS_MSEC, time_ms);
    at_end_ = false;
    last_time_ms_ = -1;
    return advance();
}

/// Lands at or before a place, or on the first frame of all.
bool VideoSource::landBefore(double time_ms) {
    for (double early_ms = 0; time_ms > early_ms; early_ms = 2 * early_ms + shortest_retreat_ms)
        if (land(time_ms - early_ms) && timeOfFrame() <= time_ms + rounding_ms)
            return true;
    return land(0);
}

/// Goes on to the first frame at or behind a place. False when there is none.
bool VideoSource::walkTo(double time_ms) {
    while (timeOfFrame() < time_ms - rounding_ms) {
        last_time_ms_ = timeOfFrame();
        if (!advance())
            return false;
    }
    return true;
}

bool VideoSource::seek(double time_ms) {
    if (!info_.seekable || !landBefore(time_ms))
        return false;
    if (!walkTo(time_ms)) { // behind the last frame, whose time is known by now
        const double end_ms = last_time_ms_;
        if (!landBefore(end_ms) || !walkTo(end_ms))
            return false;
    }
    first_is_grabbed_ = true;
    next_index_ = indexAt(timeOfFrame());
    return true;
}

bool VideoSource::seekBefore(double time_ms) {
    if (!info_.seekable || !landBefore(time_ms - stepMs()))
        return false;
    double found_ms = timeOfFrame();
    while (timeOfFrame() < time_ms - rounding_ms) {
        found_ms = timeOfFrame();
        last_time_ms_ = found_ms;
        if (!advance())
            break;
    }
    return seek(found_ms);
}

bool VideoSource::retrieve(Frame& frame) {
    frame.image = cv::Mat(); // a fresh buffer: the last one is on its way through the pipeline
    if (!capture_.retrieve(frame.image) || frame.image.empty()) {
        ++damaged_;
        return false;
    }
    return true;
}

std::vector<std::string> VideoSource::warnings() const {
    std::vector<std::string> list;
    const std::string name = "'" + info_.name + "': ";
    if (damaged_ > 0)
        list.push_back(name + std::to_string(damaged_) + " damaged parts were skipped");
    const auto announced = static_cast<double>(info_.frame_count);
    if (at_end_ && !stopped_ &&
        announced - static_cast<double>(next_index_) > 1 + plausible_shortfall * announced)
        list.push_back(name + "the header announces about " + std::to_string(info_.frame_count) +
                       " frames, " + std::to_string(next_index_) + " could be decoded");
    return list;
}

std::unique_ptr<Source> openVideoFile(const std::string& path) {
    cv::VideoCapture capture;
    // FFmpeg takes what stands in front of a colon for a protocol.
    const std::string url = path.find(':') == std::string::npos ? path : "file:" + path;
    if (!capture.open(url, cv::CAP_FFMPEG))
        CV_Error(cv::Error::StsError, "'" + path +
                                          "' cannot be opened as a video; it is damaged, "
                                          "holds no video stream or its codec is unknown, check it "
                                          "with ffprobe");
    capture.set(cv::CAP_PROP_ORIENTATION_AUTO, 1);
    return std::make_unique<VideoSource>(path, std::move(capture), durationMs(url));
}

} // namespace vigil
