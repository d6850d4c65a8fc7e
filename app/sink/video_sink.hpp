#pragma once

#include "output_file.hpp"
#include "sink.hpp"
#include "source/source.hpp"
#include "video_encoder.hpp"

#include <optional>

namespace vigil {

/// The annotated video: one picture a result, at the times of the source. The first picture decides
/// the size; later ones of another size are fitted into it with black bars.
class VideoSink : public Sink {
public:
    /// The ending of `path` names the container; pipes, devices and "-" get Matroska.
    /// Throws cv::Exception (StsBadArg) when the ending is unknown.
    VideoSink(const std::string& path, const SourceInfo& source);

    bool wantsPicture() const override { return true; }
    void write(const FrameResult& result) override;
    void finish() override;

private:
    const cv::Mat& fitted(const cv::Mat& picture);

    std::string container_;
    OutputFile file_;
    double fps_;
    std::optional<VideoEncoder> encoder_;
    cv::Size size_;
    double first_time_ms_ = 0;
    cv::Mat canvas_;
};

} // namespace vigil
