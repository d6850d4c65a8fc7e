#pragma once

#include "source.hpp"

#include <opencv2/videoio.hpp>

#include <atomic>
#include <vector>

namespace vigil {

/// A video of finite length: a file, or a file behind a URL. Time stamps are those of the stream,
/// rotation flags are honoured, and damaged parts are skipped. Jumps go by time stamps, to the
/// frame; behind a jump to a place not seen before, the frame's number is what its time says.
class VideoSource : public Source {
public:
    /// Takes an opened capture; `duration_ms`: 0 if unknown. Throws cv::Exception when it yields no
    /// frame at all.
    VideoSource(const std::string& name, cv::VideoCapture capture, double duration_ms = 0);

    const SourceInfo& info() const override { return info_; }
    bool grab(Frame& frame) override;
    bool retrieve(Frame& frame) override;
    bool seek(double time_ms) override;
    bool seekBefore(double time_ms) override;
    void stop() noexcept override { stopped_ = true; }
    std::vector<std::string> warnings() const override;

private:
    bool advance();
    double timeOfFrame() const;
    bool land(double time_ms);
    bool landBefore(double time_ms);
    bool walkTo(double time_ms);
    int64_t indexAt(double time_ms) const;
    double stepMs() const;

    SourceInfo info_;
    cv::VideoCapture capture_;
    bool first_is_grabbed_ = false;
    int64_t next_index_ = 0;
    double last_time_ms_ = -1;
    std::vector<double> times_ms_; ///< of the frames from the first one on that were seen in a row
    int64_t damaged_ = 0;
    bool at_end_ = false;
    std::atomic<bool> stopped_{false};
};

/// Opens a video file with FFmpeg. Throws cv::Exception with the name, the fault and the remedy.
std::unique_ptr<Source> openVideoFile(const std::string& path);

} // namespace vigil
