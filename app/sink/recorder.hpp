#pragma once

#include "render/renderer.hpp"
#include "sink.hpp"

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace vigil {

/// Sinks that come and go while a pipeline runs. A sink that fails ends the recording, not the
/// pipeline; the failure is kept until the next start. Overlays are drawn into a copy.
class Recorder : public Sink {
public:
    struct State {
        bool active = false;
        int64_t frames = 0; ///< written since the start
        std::string error;  ///< what ended the recording; empty: nothing did
    };

    ~Recorder() override;

    using Clock = std::chrono::steady_clock;

    /// Completes what is being recorded and starts anew. `renderer` draws for the sinks that want
    /// pictures; null: they get them as they are. Frames captured before `since` are left out: when
    /// they were, some between them may have been skipped.
    void start(std::vector<std::unique_ptr<Sink>> sinks, std::shared_ptr<const Renderer> renderer,
               Clock::time_point since = {});

    /// Completes the files, which may take a moment.
    void stop();

    /// Never waits for a sink.
    State state() const;

    void write(const FrameResult& result) override;
    void finish() override { stop(); }

private:
    void complete();
    void fail(const std::string& error);

    std::mutex mutex_; ///< held while sinks work
    std::vector<std::unique_ptr<Sink>> sinks_;
    std::shared_ptr<const Renderer> renderer_;
    Clock::time_point since_;
    mutable std::mutex state_mutex_;
    State state_;
};

} // namespace vigil
