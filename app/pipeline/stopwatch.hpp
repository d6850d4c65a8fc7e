#pragma once

#include <chrono>

namespace vigil {

/// Wall time since it was made or last asked.
class Stopwatch {
public:
    double lapMs() {
        const auto now = std::chrono::steady_clock::now();
        const std::chrono::duration<double, std::milli> lap = now - start_;
        start_ = now;
        return lap.count();
    }

private:
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

} // namespace vigil
