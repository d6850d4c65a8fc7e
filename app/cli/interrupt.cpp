#include "interrupt.hpp"

#include <unistd.h>

namespace vigil {
namespace {

constexpr int wake_up = SIGUSR1; // ends the watching thread
constexpr int exit_code_base = 128;

} // namespace

InterruptGuard::InterruptGuard(std::function<void()> first) {
    sigemptyset(&signals_);
    for (const int signal : {SIGINT, SIGTERM, wake_up})
        sigaddset(&signals_, signal);
    // Threads that start later inherit the mask, so only the watcher sees these signals.
    pthread_sigmask(SIG_BLOCK, &signals_, &previous_);
    thread_ = std::thread([this, first = std::move(first)] { watch(first); });
}

InterruptGuard::~InterruptGuard() {
    pthread_kill(thread_.native_handle(), wake_up);
    thread_.join();
    pthread_sigmask(SIG_SETMASK, &previous_, nullptr);
}

void InterruptGuard::watch(const std::function<void()>& first) {
    bool was_interrupted = false;
    int signal = 0;
    while (sigwait(&signals_, &signal) == 0 && signal != wake_up) {
        if (was_interrupted)
            ::_exit(exit_code_base + signal);
        was_interrupted = true;
        first();
    }
}

} // namespace vigil
