#pragma once

#include <csignal>
#include <functional>
#include <mutex>
#include <thread>

namespace vigil {

/// Catches Ctrl-C and SIGTERM while it lives. Make it before any other thread is started: threads
/// inherit that these signals are left to the watcher.
class InterruptGuard {
public:
    InterruptGuard();
    ~InterruptGuard();
    InterruptGuard(const InterruptGuard&) = delete;
    InterruptGuard& operator=(const InterruptGuard&) = delete;

    /// The first signal calls `action`, in the watcher's thread; the next one ends the process at
    /// once. Without an action, null again included, the first one does.
    void onInterrupt(std::function<void()> action);

private:
    void watch();

    sigset_t signals_{};
    sigset_t previous_{};
    std::mutex mutex_;
    std::function<void()> action_;
    std::thread thread_;
};

} // namespace vigil
