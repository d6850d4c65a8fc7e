#include "pipeline/latency.hpp"

#include <gtest/gtest.h>

namespace vigil {
namespace {

TEST(Latency, NothingIsZero) {
    EXPECT_EQ(LatencyStats().percentileMs(0.5), 0);
}

TEST(Latency, PercentilesOfOneToHundred) {
    LatencyStats stats;
    for (int i = 1; i <= 100; ++i)
        stats.add(i);
    EXPECT_NEAR(stats.percentileMs(0.5), 50, 0.5);
    EXPECT_NEAR(stats.percentileMs(0.95), 95, 0.95);
    EXPECT_NEAR(stats.percentileMs(1), 100, 1);
    EXPECT_NEAR(stats.percentileMs(0), 1, 0.01);
}

TEST(Latency, ExtremesStayInRange) {
    LatencyStats stats;
    stats.add(0);
    stats.add(-1);
    stats.add(1e12);
    EXPECT_NEAR(stats.percentileMs(0.5), 0.001, 0.0001);
    EXPECT_GT(stats.percentileMs(1), 900e3);
}

} // namespace
} // namespace vigil
