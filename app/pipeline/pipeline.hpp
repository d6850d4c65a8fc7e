#pragma once

#include "detect/detector.hpp"
#include "frame_result.hpp"
#include "latency.hpp"
#include "render/renderer.hpp"
#include "sink/sink.hpp"
#include "source/frame_range.hpp"
#include "source/source.hpp"

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace vigil {

enum class Mode {
    Synchronous, ///< every frame, in order; a slow stage holds back those before it
    RealTime     ///< the newest frame wins; what is dropped is counted, the capture never waits
};

/// What happened to frames that did not get through.
struct Drops {
    int64_t superseded = 0; ///< a newer frame came while the detector was busy
    int64_t damaged = 0;    ///< could not be decoded
    int64_t aborted = 0;    ///< on their way when an error stopped the pipeline
    int64_t total() const { return superseded + damaged + aborted; }
};

/// How far a run is, or how it went. captured == processed + dropped.total() once it has ended.
struct RunStats {
    int64_t frames_captured = 0;  ///< wanted frames that the source delivered
    int64_t frames_processed = 0; ///< frames that every sink has
    Drops dropped;
    double wall_s = 0;
    bool cancelled = false;
    std::map<std::string, LatencyStats> latency; ///< by stage: "decode", "preprocess", ..
    std::vector<std::string> warnings;
};

/// Counters of a run that goes on.
struct RunCounts {
    int64_t captured = 0;
    int64_t processed = 0;
    Drops dropped;
};

/// What to do again to the newest frame.
enum class Redo {
    Decoding, ///< with the detector's options of now
    Inference ///< with the detector of now
};

/// What a pipeline works with. It owns nothing of it.
struct PipelineParts {
    Source& source;
    Detector& detector;
    const Renderer* renderer = nullptr; ///< null, or no sink that wants pictures: nothing is drawn
    std::vector<Sink*> sinks;
    /// Called after the sinks, from the thread that called run(), once a frame.
    std::function<void(const FrameResult&, const RunCounts&)> observer;
};

/// Moves frames from a source through detector, renderer and sinks, each stage in its own thread.
/// Memory does not depend on the length of the source.
class Pipeline {
public:
    Pipeline(PipelineParts parts, Mode mode, const FrameRange& range = {});

    /// Works until the source ends, cancel() is called or a stage fails. Sinks are finished in each
    /// case, then the first failure is thrown. Call it once.
    RunStats run();

    /// Shows the newest frame once more to the observer, but not to the sinks: a paused frame after
    /// a change of options or of the model. Does nothing while newer frames are on their way. From
    /// any thread, at any time; not for pipelines that draw.
    void refresh(Redo what);

    /// Takes effect with the next frame. From any thread, at any time.
    void setMode(Mode mode) { mode_ = mode; }

    /// How far the run is, frames that nobody was shown included. From any thread, at any time.
    RunCounts counts() const noexcept;

    /// Ends the run after the frames that were captured so far. From any thread, at any time.
    void cancel() noexcept;

private:
    struct Stages;

    void setStages(Stages* stages);
    void keep(const FrameResult& result);
    void capture(Stages& stages);
    void prepare(Stages& stages);
    void infer(Stages& stages);
    void postprocess(Stages& stages);
    void output(Stages& stages, RunStats& stats);
    void deliver(FrameResult& result);
    void finishSinks(Stages& stages);

    PipelineParts parts_;
    std::atomic<Mode> mode_;
    FrameRange range_;
    bool draws_ = false;
    std::atomic<bool> cancelled_{false};
    std::atomic<int64_t> captured_{0};
    std::atomic<int64_t> processed_{0};
    std::atomic<int64_t> superseded_{0};
    std::atomic<int64_t> damaged_{0};
    std::mutex refresh_mutex_;
    Stages* stages_ = nullptr; ///< while run() works
    FrameResult newest_;       ///< what was decoded last
};

} // namespace vigil
