#include "player.hpp"

namespace vigil {

Player::Player(std::unique_ptr<Source> source, std::shared_ptr<DetectorSlot> detector,
               Observers observers)
    : source_(std::move(source)),
      detector_(std::move(detector)),
      observers_(std::move(observers)),
      pipeline_({source_, *detector_, nullptr, {&recorder_}, observers_.on_result}, Mode::RealTime),
      thread_([this] { run(); }) {}

Player::~Player() {
    cancel();
    thread_.join();
}

void Player::setMode(Mode mode) {
    if (source_.info().live)
        return;
    source_.setPaced(mode == Mode::RealTime);
    pipeline_.setMode(mode);
}

void Player::run() {
    std::string error;
    std::vector<std::string> warnings;
    try {
        warnings = pipeline_.run().warnings;
    } catch (const cv::Exception& failure) {
        error = failure.err;
    } catch (const std::exception& failure) {
        error = failure.what();
    }
    if (observers_.on_end)
        observers_.on_end(error, warnings);
}

} // namespace vigil
