#include "video_source.hpp"

#include <chrono>
#include <cmath>

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

double announcedFps(const cv::VideoCapture& capture) {
    const double fps = capture.get(cv::CAP_PROP_FPS);
    return std::isfinite(fps) && fps > 0 && fps <= max_fps ? fps : 0;
}

} // namespace

VideoSource::VideoSource(const std::string& name, cv::VideoCapture capture)
    : capture_(std::move(capture)) {
    info_.name = name;
    info_.fps = announcedFps(capture_);
    const double count = capture_.get(cv::CAP_PROP_FRAME_COUNT);
    if (count > 0 && count < 1e12)
        info_.frame_count = static_cast<int64_t>(count);
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

/// Streams without time stamps, and stamps that stand still or go back, fall back on the pace.
double VideoSource::timeOfFrame() {
    const double stamp = capture_.get(cv::CAP_PROP_POS_MSEC);
    const double step = 1000 / (info_.fps > 0 ? info_.fps : fallback_fps);
    if (next_index_ == 0)
        last_time_ms_ = std::isfinite(stamp) && stamp > 0 ? stamp : 0;
    else
        last_time_ms_ =
            std::isfinite(stamp) && stamp > last_time_ms_ ? stamp : last_time_ms_ + step;
    return last_time_ms_;
}

bool VideoSource::grab(Frame& frame) {
    if (at_end_ || (!first_is_grabbed_ && !advance()))
        return false;
    first_is_grabbed_ = false;
    frame.time_ms = timeOfFrame();
    frame.index = next_index_++;
    return true;
}

bool VideoSource::retrieve(Frame& frame) {
    frame.image = cv::Mat(); // a fresh buffer: the last one is on its way through the pipeline
    if (!capture_.retrieve(frame.image) || frame.image.empty()) {
        ++damaged_;
        return false;
    }
    if (first_size_.empty())
        first_size_ = frame.image.size();
    size_changed_ = size_changed_ || frame.image.size() != first_size_;
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
    if (size_changed_)
        list.push_back(name + "the picture size changes midway; an annotated video keeps the "
                              "first size");
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
    return std::make_unique<VideoSource>(path, std::move(capture));
}

} // namespace vigil
