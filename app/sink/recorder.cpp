#include "recorder.hpp"

namespace vigil {

Recorder::~Recorder() {
    stop();
}

void Recorder::start(std::vector<std::unique_ptr<Sink>> sinks,
                     std::shared_ptr<const Renderer> renderer, Clock::time_point since) {
    const std::lock_guard<std::mutex> lock(mutex_);
    complete();
    since_ = since;
    sinks_ = std::move(sinks);
    renderer_ = std::move(renderer);
    const std::lock_guard<std::mutex> state_lock(state_mutex_);
    state_ = State();
    state_.active = true;
}

void Recorder::stop() {
    const std::lock_guard<std::mutex> lock(mutex_);
    complete();
}

Recorder::State Recorder::state() const {
    const std::lock_guard<std::mutex> lock(state_mutex_);
    return state_;
}

void Recorder::write(const FrameResult& result) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (sinks_.empty() || result.captured_at < since_)
        return;
    FrameResult drawn;
    try {
        for (const std::unique_ptr<Sink>& sink : sinks_) {
            const bool draws = sink->wantsPicture() && renderer_;
            if (draws && drawn.frame.image.empty()) {
                drawn = result;
                drawn.frame.image = result.frame.image.clone();
                renderer_->draw(drawn);
            }
            sink->write(draws ? drawn : result);
        }
    } catch (const cv::Exception& error) {
        fail(error.err);
        complete();
        return;
    } catch (const std::exception& error) {
        fail(error.what());
        complete();
        return;
    }
    const std::lock_guard<std::mutex> state_lock(state_mutex_);
    ++state_.frames;
}

/// Each sink completes its file, whatever happens to the others.
void Recorder::complete() {
    for (const std::unique_ptr<Sink>& sink : sinks_)
        try {
            sink->finish();
        } catch (const cv::Exception& error) {
            fail(error.err);
        } catch (const std::exception& error) {
            fail(error.what());
        }
    sinks_.clear();
    const std::lock_guard<std::mutex> state_lock(state_mutex_);
    state_.active = false;
}

void Recorder::fail(const std::string& error) {
    const std::lock_guard<std::mutex> state_lock(state_mutex_);
    if (state_.error.empty())
        state_.error = error;
}

} // namespace vigil
