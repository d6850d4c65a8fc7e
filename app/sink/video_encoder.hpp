#pragma once

#include "output_file.hpp"

#include <opencv2/core/mat.hpp>

#include <memory>
#include <string>

namespace vigil {

/// Encodes pictures to a video in `file` with FFmpeg's libraries, each with its own time stamp.
/// (cv::VideoWriter knows one fixed pace, cannot write fragmented MP4 and hides write errors.)
/// At most about a second of work is lost when the program is killed.
class VideoEncoder {
public:
    /// `container`: mp4, mov, mkv, webm, ts or avi. `size`: pixels of the pictures to come; odd
    /// sides are padded to even ones by repeating the last row or column. `fps`: the nominal pace.
    /// Throws cv::Exception when this FFmpeg has no encoder for the container.
    VideoEncoder(OutputFile& file, const std::string& container, cv::Size size, double fps);
    ~VideoEncoder();

    /// `bgr`: 8-bit, 3 channels, of the size given before. Times that do not grow are moved on.
    void encode(const cv::Mat& bgr, double time_ms);

    /// Flushes the encoder and completes the file.
    void finish();

    /// "libx264", for messages.
    std::string encoderName() const;

    /// Whether `container` is one that this class writes.
    static bool knows(const std::string& container);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace vigil
