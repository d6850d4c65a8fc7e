#include "interrupt.hpp"

#include <unistd.h>
#include <utility>

namespace vigil {
namespace {

constexpr int wake_up = SIGUSR1; // ends the watching thread
constexpr int exit_code_base = 128;

} // namespace

InterruptGuard::InterruptGuard() {
    sigemptyset(&signals_);
    for (const int signal : {SIGINT, SIGTERM, wake_up})
        sigaddset(&signals_, signal);
    pthread_sigmask(SIG_BLOCK, &signals_, &previous_);
    // A shell starts background jobs with SIGINT ignored, and what is ignored cannot be waited for.
    std::signal(SIGINT, SIG_DFL);
    std::signal(SIGTERM, SIG_DFL);
    thread_ = std::thread([this] { watch(); });
}

InterruptGuard::~InterruptGuard() {
    pthread_kill(thread_.native_handle(), wake_up);
    thread_.join();
    pthread_sigmask(SIG_SETMASK, &previous_, nullptr);
}

void InterruptGuard::onInterrupt(std::function<void()> action) {
    const std::lock_guard<std::mutex> lock(mutex_);
    action_ = std::move(action);
}

void InterruptGuard::watch() {
    int signal = 0;
    while (sigwait(&signals_, &signal) == 0 && signal != wake_up) {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (!action_)
            ::_exit(exit_code_base + signal);
        std::exchange(action_, nullptr)();
    }
}

} // namespace vigil
