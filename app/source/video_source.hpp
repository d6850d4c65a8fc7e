#pragma once

#include "source.hpp"

#include <opencv2/videoio.hpp>

#include <atomic>

namespace vigil {

/// A video of finite length: a file, or a file behind a URL. Time stamps are those of the stream,
/// rotation flags are honoured, and damaged parts are skipped.
class VideoSource : public Source {
public:
    /// Takes an opened capture. Throws cv::Exception when it yields no frame at all.
    VideoSource(const std::string& name, cv::VideoCapture capture);

    const SourceInfo& info() const override { return info_; }
    bool grab(Frame& frame) override;
    bool retrieve(Frame& frame) override;
    void stop() noexcept override { stopped_ = true; }
    std::vector<std::string> warnings() const override;

private:
    bool advance();
    double timeOfFrame();

    SourceInfo info_;
    cv::VideoCapture capture_;
    bool first_is_grabbed_ = false;
    int64_t next_index_ = 0;
    double last_time_ms_ = -1;
    int64_t damaged_ = 0;
    cv::Size first_size_;
    bool size_changed_ = false;
    bool at_end_ = false;
    std::atomic<bool> stopped_{false};
};

/// Opens a video file with FFmpeg. Throws cv::Exception with the name, the fault and the remedy.
std::unique_ptr<Source> openVideoFile(const std::string& path);

} // namespace vigil
