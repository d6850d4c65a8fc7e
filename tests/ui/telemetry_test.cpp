#include "engine/telemetry.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace vigil::ui::test {
namespace {

using namespace std::chrono_literals;

FrameResult resultWith(std::vector<int> classes) {
    FrameResult result;
    for (const int class_id : classes)
        result.detections.push_back({class_id, 0.5f, {}});
    result.times.inference_ms = 7;
    return result;
}

class TelemetryTest : public testing::Test {
protected:
    Telemetry telemetry;
    Telemetry::Clock::time_point start{1000s};
};

TEST_F(TelemetryTest, CountsFramesOfTheLastTwoSeconds) {
    for (int i = 0; i <= 50; ++i)
        telemetry.add(resultWith({}), start + i * 100ms);
    EXPECT_NEAR(telemetry.snapshot(start + 5s).fps, 10, 0.01);
    EXPECT_EQ(telemetry.snapshot(start + 10s).fps, 0) << "nothing comes any more";
}

TEST_F(TelemetryTest, KeepsTheMostObjectsOfEachSecond) {
    telemetry.add(resultWith({0, 0, 1}), start);
    telemetry.add(resultWith({0}), start + 100ms);
    telemetry.add(resultWith({}), start + 1s);
    telemetry.add(resultWith({0, 0, 0}), start + 2s);
    const Telemetry::Snapshot snapshot = telemetry.snapshot(start + 2s);
    EXPECT_EQ(snapshot.per_second.at(0), (std::vector<double>{2, 0, 3}));
    EXPECT_EQ(snapshot.per_second.at(1), (std::vector<double>{1, 0, 0}));
    EXPECT_EQ(snapshot.objects, (std::map<int, int>{{0, 3}}));
}

TEST_F(TelemetryTest, SecondsWithoutAFrameAreNoZeros) {
    telemetry.add(resultWith({0}), start);
    telemetry.add(resultWith({1}), start + 3s);
    const Telemetry::Snapshot snapshot = telemetry.snapshot(start + 3s);
    const std::vector<double>& line = snapshot.per_second.at(0);
    ASSERT_EQ(line.size(), 4U);
    EXPECT_EQ(line[0], 1);
    EXPECT_TRUE(std::isnan(line[1]) && std::isnan(line[2]));
    EXPECT_EQ(line[3], 0) << "a frame without this class";
    EXPECT_TRUE(std::isnan(snapshot.per_second.at(1)[1]));
}

TEST_F(TelemetryTest, ForgetsWhatIsLongAgo) {
    for (int i = 0; i < 1000; ++i)
        telemetry.add(resultWith({0}), start + i * 1s);
    const Telemetry::Snapshot snapshot = telemetry.snapshot(start + 1000s);
    EXPECT_EQ(snapshot.per_second.at(0).size(), std::size_t(Telemetry::history_s));
    EXPECT_EQ(snapshot.stage_ms[Telemetry::Inference].size(), Telemetry::history_frames);
}

TEST_F(TelemetryTest, RepeatedFramesCountObjectsAlone) {
    FrameResult again = resultWith({3});
    again.repeated = true;
    telemetry.add(resultWith({0}), start);
    telemetry.add(again, start + 1s);
    const Telemetry::Snapshot snapshot = telemetry.snapshot(start + 1s);
    EXPECT_EQ(snapshot.objects, (std::map<int, int>{{3, 1}}));
    EXPECT_EQ(snapshot.stage_ms[Telemetry::Inference].size(), 1U);
    EXPECT_EQ(snapshot.per_second.count(3), 0U);
}

} // namespace
} // namespace vigil::ui::test
