#include "latency.hpp"

#include <algorithm>
#include <cmath>

namespace vigil {
namespace {

constexpr double smallest_ms = 0.001;
constexpr double growth = 1.01;

} // namespace

void LatencyStats::add(double ms) {
    const double steps = ms > smallest_ms ? std::log(ms / smallest_ms) / std::log(growth) : 0;
    const auto cell = static_cast<std::size_t>(std::min<double>(steps, cells - 1));
    ++counts_[cell];
    ++count_;
}

double LatencyStats::percentileMs(double fraction) const {
    if (count_ == 0)
        return 0;
    const double rank = std::max(1.0, std::ceil(fraction * static_cast<double>(count_)));
    int64_t below = 0;
    std::size_t cell = 0;
    for (; cell + 1 < counts_.size(); ++cell) {
        below += counts_[cell];
        if (static_cast<double>(below) >= rank)
            break;
    }
    return smallest_ms * std::pow(growth, static_cast<double>(cell) + 0.5);
}

} // namespace vigil
