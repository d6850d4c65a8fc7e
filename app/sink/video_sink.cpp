#include "video_sink.hpp"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <filesystem>

namespace vigil {
namespace fs = std::filesystem;
namespace {

constexpr double fallback_fps = 25;

std::string containerFor(const std::string& path) {
    const std::string ending = cv::toLowerCase(fs::path(path).extension().string());
    if (!ending.empty() && VideoEncoder::knows(ending.substr(1)))
        return ending.substr(1);
    const bool is_special = path == "-" || (fs::exists(path) && !fs::is_regular_file(path));
    if (!is_special)
        CV_Error(cv::Error::StsBadArg, "'" + path +
                                           "' does not say which kind of file to write; "
                                           "end it in .mp4, .mkv, .mov, .webm, .ts or .avi for a "
                                           "video, in .jpg or .png for images, in / for a folder");
    return "mkv";
}

/// Nominal pace in a range that every encoder takes.
double sanePace(double fps) {
    return fps > 0 ? std::clamp(fps, 0.1, 1000.0) : fallback_fps;
}

} // namespace

VideoSink::VideoSink(const std::string& path, const SourceInfo& source)
    : container_(containerFor(path)), file_(path), fps_(sanePace(source.fps)) {}

const cv::Mat& VideoSink::fitted(const cv::Mat& picture) {
    if (picture.size() == size_)
        return picture;
    const double scale = std::min(static_cast<double>(size_.width) / picture.cols,
                                  static_cast<double>(size_.height) / picture.rows);
    const cv::Size inner(std::clamp(cvRound(picture.cols * scale), 1, size_.width),
                         std::clamp(cvRound(picture.rows * scale), 1, size_.height));
    canvas_.create(size_, CV_8UC3);
    canvas_.setTo(cv::Scalar::all(0));
    const cv::Rect place((size_.width - inner.width) / 2, (size_.height - inner.height) / 2,
                         inner.width, inner.height);
    cv::Mat target = canvas_(place);
    cv::resize(picture, target, inner, 0, 0, scale < 1 ? cv::INTER_AREA : cv::INTER_LINEAR);
    return canvas_;
}

void VideoSink::write(const FrameResult& result) {
    if (!encoder_) {
        size_ = result.frame.image.size();
        first_time_ms_ = result.frame.time_ms;
        encoder_.emplace(file_, container_, size_, fps_);
    }
    encoder_->encode(fitted(result.frame.image), result.frame.time_ms - first_time_ms_);
}

void VideoSink::finish() {
    if (encoder_)
        encoder_->finish();
    file_.close();
}

} // namespace vigil
