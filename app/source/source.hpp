#pragma once

#include "frame.hpp"

#include <opencv2/core/types.hpp>

#include <memory>
#include <string>
#include <vector>

namespace vigil {

/// What is known of a source before its frames are.
struct SourceInfo {
    std::string name;
    bool live = false;        ///< frames come whether or not somebody takes them
    bool stills = false;      ///< images rather than a video
    double fps = 0;           ///< frames per second as announced, 0: unknown
    int64_t frame_count = -1; ///< as announced, -1: unknown. Headers lie: good for progress alone
    double duration_ms = 0;   ///< as announced, 0: unknown
    bool seekable = false;    ///< whether seek() works
};

/// Where frames come from. One thread calls grab() and retrieve(); stop() may come from any other.
class Source {
public:
    virtual ~Source() = default;

    virtual const SourceInfo& info() const = 0;

    /// Moves to the next frame and fills index, time and name, but no image. False at the end.
    /// Throws cv::Exception when the source is lost for good.
    virtual bool grab(Frame& frame) = 0;

    /// Decodes the image of the frame that grab() moved to. False when that frame is damaged.
    virtual bool retrieve(Frame& frame) = 0;

    /// Of seekable sources, from the thread that calls grab(): the next frame will be the first one
    /// at or behind `time_ms`, or the last one of all. False when that place cannot be reached.
    virtual bool seek(double /*time_ms*/) { return false; }

    /// As seek(), but to the last frame that lies before `time_ms`, or the first one of all.
    virtual bool seekBefore(double /*time_ms*/) { return false; }

    /// Makes a waiting grab() return false soon.
    virtual void stop() noexcept {}

    /// What keeps the source from delivering frames at the moment, for people; empty while all is
    /// well. From any thread.
    virtual std::string trouble() const { return {}; }

    /// Remarks on damage and interruptions; complete once grab() has returned false.
    virtual std::vector<std::string> warnings() const { return {}; }
};

/// Limits on waiting for live sources.
struct LiveOptions {
    int open_timeout_ms = 10000;
    int read_timeout_ms = 5000;
    int max_reopenings = 8; ///< in a row, each after twice the pause of the one before
    cv::Size camera_size;   ///< pixels to ask a camera for; empty: its own choice
};

/// Opens what `spec` names: a video or image file, a folder or glob of images, a camera (index or
/// device) or a URL. Throws cv::Exception with the name, the fault and the remedy.
std::unique_ptr<Source> openSource(const std::string& spec, const LiveOptions& live = {});

} // namespace vigil
