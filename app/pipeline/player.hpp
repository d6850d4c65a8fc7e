#pragma once

#include "detect/detector_slot.hpp"
#include "pipeline.hpp"
#include "sink/recorder.hpp"
#include "source/playback_source.hpp"

#include <functional>
#include <memory>
#include <string>
#include <thread>

namespace vigil {

/// Plays one source through a pipeline in threads of its own: what interactive programs need.
class Player {
public:
    /// Called from the player's threads; each must return soon.
    struct Observers {
        std::function<void(const FrameResult&, const RunCounts&)> on_result;
        /// The source ended for good or something failed; `error` is empty in the first case.
        std::function<void(const std::string& error, const std::vector<std::string>& warnings)>
            on_end;
    };

    /// Starts to play. `detector` may be shared with other players and exchanged at any time.
    Player(std::unique_ptr<Source> source, std::shared_ptr<DetectorSlot> detector,
           Observers observers);

    /// Ends all threads and completes what is being recorded. That takes as long as the source
    /// needs to wake up from a read: milliseconds, or the read time-out of a stream that is silent.
    ~Player();

    Player(const Player&) = delete;
    Player& operator=(const Player&) = delete;

    PlaybackSource& playback() { return source_; }
    Recorder& recorder() { return recorder_; }

    /// Real time (the newest frame wins, the rest is counted as dropped) or every frame as fast as
    /// the detector goes. Live sources play in real time always.
    void setMode(Mode mode);
    void refresh(Redo what) { pipeline_.refresh(what); }
    RunCounts counts() const noexcept { return pipeline_.counts(); }

    /// Asks the threads to end without waiting for them.
    void cancel() noexcept { pipeline_.cancel(); }

private:
    void run();

    PlaybackSource source_;
    std::shared_ptr<DetectorSlot> detector_;
    Recorder recorder_;
    Observers observers_;
    Pipeline pipeline_;
    std::thread thread_;
};

} // namespace vigil
