#pragma once

#include "source.hpp"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>

namespace vigil {

/// A source with the controls of a player. Recordings are held while paused and at their end, and
/// wait there for what comes next; of live sources, frames are let go while paused. A pipeline
/// sees frames as they come and need not know. Every method but those of Source is for any thread
/// and returns at once.
class PlaybackSource : public Source {
public:
    struct State {
        bool playing = false;
        bool ended = false; ///< the last frame was delivered
        double speed = 1;
        bool loop = false;
        bool paced = true;
    };

    /// Plays at once. Images in a row wait at the first one.
    explicit PlaybackSource(std::unique_ptr<Source> source);

    void play(); ///< from the start, if it has ended
    void pause();
    /// Delivers the frame at `time_ms`, playing or not. Of several in a row the last one counts.
    void jumpTo(double time_ms);
    /// Pauses and delivers the next frame.
    void stepForward();
    /// Pauses and delivers the frame before the last one that was delivered.
    void stepBack();
    /// `speed` > 0: 2 is twice as fast as recorded.
    void setSpeed(double speed);
    void setLoop(bool loop);
    /// Whether frames of recordings come when their time has come (true at first), or as soon as
    /// somebody takes them.
    void setPaced(bool paced);
    State state() const;
    /// What Frame::jumps will be once the jumps asked for so far were made.
    int64_t jumpsAsked() const;
    /// What there is to say of the source each time its end is reached; empty before.
    std::vector<std::string> remarksAtEnd() const;

    const SourceInfo& info() const override { return source_->info(); }
    bool grab(Frame& frame) override;
    bool retrieve(Frame& frame) override;
    void stop() noexcept override;
    std::string trouble() const override { return source_->trouble(); }
    std::vector<std::string> warnings() const override { return source_->warnings(); }

private:
    using Clock = std::chrono::steady_clock;
    using Lock = std::unique_lock<std::mutex>;

    struct Jump {
        double time_ms = 0;
        int steps_back = 0; ///< from the last delivered frame; 0: to time_ms
    };

    bool hasWork() const;
    bool fetch(Lock& lock);
    void make(const Jump& jump, Lock& lock);
    void atEnd();
    bool isDue(Lock& lock);
    Clock::time_point dueTime();
    void deliver(Frame& frame);

    std::unique_ptr<Source> source_;
    mutable std::mutex mutex_;
    std::condition_variable wake_;
    State state_;
    bool stopped_ = false;
    std::optional<Jump> jump_;
    int64_t jumps_asked_ = 0;
    int64_t jumps_made_ = 0;
    std::vector<std::string> remarks_;
    int owed_ = 0;              ///< frames to deliver whatever the clock says
    std::optional<Frame> next_; ///< grabbed from the source, not delivered yet
    double last_time_ms_ = 0;   ///< of the last delivered frame
    bool anchored_ = false;     ///< whether the two below are set; if not, the next frame is due
    Clock::time_point anchor_;  ///< when the frame at anchor_ms_ was delivered
    double anchor_ms_ = 0;
};

} // namespace vigil
