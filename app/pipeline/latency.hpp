#pragma once

#include <array>
#include <cstdint>

namespace vigil {

/// Percentiles of times without keeping them: counts in cells that grow by 1 %, from one
/// microsecond to about a quarter of an hour. Off by half a cell at most.
class LatencyStats {
public:
    void add(double ms);

    int64_t count() const { return count_; }

    /// The time below which the share `fraction` (0..1) lies, in milliseconds; 0 without any times.
    double percentileMs(double fraction) const;

private:
    static constexpr int cells = 2080;
    std::array<int64_t, cells> counts_{};
    int64_t count_ = 0;
};

} // namespace vigil
