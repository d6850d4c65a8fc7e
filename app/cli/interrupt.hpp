#pragma once

#include <csignal>
#include <functional>
#include <thread>

namespace vigil {

/// While it lives, the first Ctrl-C (or SIGTERM) calls `first`, from a thread of its own; the
/// second one ends the process at once. Make it before other threads are started.
class InterruptGuard {
public:
    explicit InterruptGuard(std::function<void()> first);
    ~InterruptGuard();
    InterruptGuard(const InterruptGuard&) = delete;
    InterruptGuard& operator=(const InterruptGuard&) = delete;

private:
    void watch(const std::function<void()>& first);

    sigset_t signals_{};
    sigset_t previous_{};
    std::thread thread_;
};

} // namespace vigil
