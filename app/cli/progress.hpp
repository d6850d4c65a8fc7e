#pragma once

#include <chrono>
#include <cstdint>

namespace vigil {

/// Progress on stderr: a bar that is redrawn on a terminal, a line now and then elsewhere.
class Progress {
public:
    /// `total`: frames to expect, <= 0: unknown.
    Progress(int64_t total, bool quiet);

    void update(int64_t done, int64_t dropped);

    /// Prints a line of its own. Any thread may call it.
    void say(const char* line) const;

    /// Takes the bar off the terminal.
    void clear();

private:
    using Clock = std::chrono::steady_clock;

    int64_t total_;
    bool quiet_;
    bool terminal_;
    bool drawn_ = false;
    Clock::time_point start_ = Clock::now();
    Clock::time_point last_ = start_;
};

} // namespace vigil
