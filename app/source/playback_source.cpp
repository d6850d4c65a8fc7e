#include "playback_source.hpp"

#include <opencv2/core.hpp>

namespace vigil {
namespace {

// A player that fell behind by more goes on from where it is instead of hurrying after the clock.
constexpr std::chrono::milliseconds most_lag{500};

} // namespace

PlaybackSource::PlaybackSource(std::unique_ptr<Source> source) : source_(std::move(source)) {
    state_.playing = !info().stills;
    owed_ = 1;
}

void PlaybackSource::play() {
    const Lock lock(mutex_);
    if (state_.ended && info().seekable) {
        jump_ = Jump{};
        ++jumps_asked_;
    }
    state_.playing = true;
    anchored_ = false;
    wake_.notify_all();
}

void PlaybackSource::pause() {
    const Lock lock(mutex_);
    state_.playing = false;
    wake_.notify_all();
}

void PlaybackSource::jumpTo(double time_ms) {
    const Lock lock(mutex_);
    if (!info().seekable)
        return;
    jump_ = Jump{time_ms, 0};
    ++jumps_asked_;
    wake_.notify_all();
}

void PlaybackSource::stepForward() {
    const Lock lock(mutex_);
    state_.playing = false;
    if (!state_.ended)
        ++owed_;
    wake_.notify_all();
}

void PlaybackSource::stepBack() {
    const Lock lock(mutex_);
    state_.playing = false;
    if (info().seekable) {
        if (!jump_ || jump_->steps_back == 0)
            jump_ = Jump{jump_ ? jump_->time_ms : last_time_ms_, 0};
        ++jump_->steps_back;
        ++jumps_asked_;
    }
    wake_.notify_all();
}

void PlaybackSource::setSpeed(double speed) {
    CV_Assert(speed > 0);
    const Lock lock(mutex_);
    state_.speed = speed;
    anchored_ = false;
    wake_.notify_all();
}

void PlaybackSource::setLoop(bool loop) {
    const Lock lock(mutex_);
    state_.loop = loop;
}

void PlaybackSource::setPaced(bool paced) {
    const Lock lock(mutex_);
    state_.paced = paced;
    anchored_ = false;
    wake_.notify_all();
}

PlaybackSource::State PlaybackSource::state() const {
    const Lock lock(mutex_);
    return state_;
}

int64_t PlaybackSource::jumpsAsked() const {
    const Lock lock(mutex_);
    return jumps_asked_;
}

std::vector<std::string> PlaybackSource::remarksAtEnd() const {
    const Lock lock(mutex_);
    return remarks_;
}

void PlaybackSource::stop() noexcept {
    source_->stop();
    const Lock lock(mutex_);
    stopped_ = true;
    wake_.notify_all();
}

bool PlaybackSource::hasWork() const {
    const bool runs = !state_.ended && (state_.playing || info().live);
    return stopped_ || jump_ || owed_ > 0 || runs;
}

/// Gets the next frame of the source while others may use the controls.
bool PlaybackSource::fetch(Lock& lock) {
    Frame frame;
    lock.unlock();
    const bool found = source_->grab(frame);
    lock.lock();
    if (found)
        next_ = std::move(frame);
    return found;
}

void PlaybackSource::make(const Jump& jump, Lock& lock) {
    const int64_t asked = jumps_asked_;
    next_.reset();
    double place_ms = jump.time_ms;
    lock.unlock();
    bool done = true;
    if (jump.steps_back == 0)
        done = source_->seek(place_ms);
    for (int i = 0; i < jump.steps_back && done; ++i) {
        done = source_->seekBefore(place_ms);
        Frame frame;
        if (i + 1 < jump.steps_back && done && source_->grab(frame))
            place_ms = frame.time_ms;
    }
    lock.lock();
    jumps_made_ = asked;
    state_.ended = !done;
    owed_ = done ? 1 : 0;
    anchored_ = false;
}

void PlaybackSource::atEnd() {
    owed_ = 0;
    remarks_ = source_->warnings();
    if (state_.loop && state_.playing && info().seekable) {
        jump_ = Jump{};
        ++jumps_asked_;
        return;
    }
    state_.ended = true;
    state_.playing = false;
}

PlaybackSource::Clock::time_point PlaybackSource::dueTime() {
    const std::chrono::duration<double, std::milli> ahead((next_->time_ms - anchor_ms_) /
                                                          state_.speed);
    return anchor_ + std::chrono::duration_cast<Clock::duration>(ahead);
}

/// Waits for the time of the next frame. False when something else is to be done first.
bool PlaybackSource::isDue(Lock& lock) {
    if (!state_.paced || info().live)
        return true;
    const Clock::time_point now = Clock::now();
    if (anchored_ && now - dueTime() > most_lag)
        anchored_ = false;
    if (!anchored_)
        return true;
    const bool interrupted = wake_.wait_until(lock, dueTime(), [this] {
        return stopped_ || jump_ || owed_ > 0 || !state_.playing || !state_.paced || !anchored_;
    });
    return !interrupted;
}

void PlaybackSource::deliver(Frame& frame) {
    if (!anchored_) {
        anchored_ = true;
        anchor_ = Clock::now();
        anchor_ms_ = next_->time_ms;
    }
    frame = std::move(*next_);
    next_.reset();
    frame.jumps = jumps_made_;
    last_time_ms_ = frame.time_ms;
}

/// Of images in a row, the next one comes in place of one that cannot be read.
bool PlaybackSource::retrieve(Frame& frame) {
    const bool read = source_->retrieve(frame);
    if (!read && info().stills) {
        const Lock lock(mutex_);
        ++owed_;
    }
    return read;
}

bool PlaybackSource::grab(Frame& frame) {
    const Clock::time_point begin = Clock::now();
    Clock::duration worked{};
    Lock lock(mutex_);
    while (true) {
        wake_.wait(lock, [this] { return hasWork(); });
        if (stopped_)
            return false;
        const Clock::time_point start = Clock::now();
        if (jump_) {
            const Jump jump = *jump_;
            jump_.reset();
            make(jump, lock);
        } else if (!next_ && !fetch(lock)) {
            if (stopped_ || info().live)
                return false;
            atEnd();
        }
        worked += Clock::now() - start;
        if (stopped_ || jump_ || !next_)
            continue;
        if (owed_ > 0) {
            --owed_;
            break;
        }
        if (!state_.playing) {
            if (info().live)
                next_.reset();
        } else if (isDue(lock)) {
            break;
        }
    }
    deliver(frame);
    const std::chrono::duration<double, std::milli> waited = Clock::now() - begin - worked;
    frame.waited_ms = waited.count();
    return true;
}

} // namespace vigil
