#include "fakes.hpp"
#include "pipeline/pipeline.hpp"

#include <gtest/gtest.h>

#include <numeric>

namespace vigil::test {
namespace {

std::vector<int64_t> numbersUpTo(int64_t count) {
    std::vector<int64_t> numbers(static_cast<std::size_t>(count));
    std::iota(numbers.begin(), numbers.end(), 0);
    return numbers;
}

void expectBalance(const RunStats& stats) {
    EXPECT_EQ(stats.frames_captured, stats.frames_processed + stats.dropped.total());
}

class PipelineTest : public testing::Test {
protected:
    RunStats run(Mode mode, const FrameRange& range = {}) {
        Pipeline pipeline({source, detector, nullptr, {&sink}, {}}, mode, range);
        return pipeline.run();
    }

    /// Runs a pipeline that fails and returns the message of the failure.
    std::string failure(Mode mode = Mode::Synchronous) {
        try {
            run(mode);
        } catch (const std::exception& error) {
            return error.what();
        }
        return "";
    }

    FakeSource source{100};
    FakeDetector detector;
    FakeSink sink;
};

TEST_F(PipelineTest, SynchronousRunTakesEveryFrameInOrder) {
    const RunStats stats = run(Mode::Synchronous);
    EXPECT_EQ(sink.frames, numbersUpTo(100));
    EXPECT_EQ(sink.classes[57], 57) << "detections stay with their frame";
    EXPECT_EQ(stats.frames_processed, 100);
    EXPECT_EQ(stats.dropped.total(), 0);
    EXPECT_EQ(stats.latency.at("inference").count(), 100);
    EXPECT_EQ(sink.finished, 1);
    EXPECT_FALSE(stats.cancelled);
}

TEST_F(PipelineTest, RangeAndStepChooseFrames) {
    FrameRange range;
    range.start = {10, false};
    range.end = {1, true}; // 1 s: frame 25
    range.every = 5;
    const RunStats stats = run(Mode::Synchronous, range);
    EXPECT_EQ(sink.frames, (std::vector<int64_t>{10, 15, 20}));
    EXPECT_EQ(stats.frames_captured, 3);
}

TEST_F(PipelineTest, DamagedFramesAreCounted) {
    source.damaged_frame = 3;
    const RunStats stats = run(Mode::Synchronous);
    EXPECT_EQ(stats.frames_processed, 99);
    EXPECT_EQ(stats.dropped.damaged, 1);
    expectBalance(stats);
}

TEST_F(PipelineTest, FramesInFlightAreFew) {
    std::atomic<int64_t> written{0};
    std::atomic<int64_t> most{0};
    source.before_grab = [&](int64_t next) { most = std::max(most.load(), next - written); };
    sink.before_write = [&](int64_t) { ++written; };
    run(Mode::Synchronous);
    EXPECT_LE(most, 9);
}

TEST_F(PipelineTest, SynchronousRunPreparesAFrameWhileTheOneBeforeIsInferred) {
    Gate second_is_prepared;
    detector.before_prepare = [&](int number) {
        if (number == 1)
            second_is_prepared.open();
    };
    detector.before_infer = [&](int number) {
        if (number == 0)
            second_is_prepared.wait();
    };
    EXPECT_EQ(run(Mode::Synchronous).frames_processed, 100);
}

// The detector holds the first frame until the source has ended: of the others only the newest is
// left.
TEST_F(PipelineTest, RealTimeRunKeepsTheNewestFrameAndNeverBlocksTheCapture) {
    Gate first_is_taken;
    Gate source_ended;
    source.before_grab = [&](int64_t next) {
        if (next == 1)
            first_is_taken.wait();
        if (next == 100)
            source_ended.open();
    };
    std::vector<int> prepared;
    detector.before_prepare = [&](int number) { prepared.push_back(number); };
    detector.before_infer = [&](int number) {
        if (number == 0) {
            first_is_taken.open();
            source_ended.wait();
        }
    };
    const RunStats stats = run(Mode::RealTime);
    EXPECT_EQ(prepared, (std::vector<int>{0, 99}))
        << "no frame may grow old in the network's input";
    EXPECT_EQ(sink.frames, (std::vector<int64_t>{0, 99}));
    EXPECT_EQ(stats.frames_captured, 100);
    EXPECT_EQ(stats.dropped.superseded, 98);
    expectBalance(stats);
}

TEST_F(PipelineTest, CancelKeepsWhatWasCaptured) {
    Pipeline pipeline({source, detector, nullptr, {&sink}, {}}, Mode::Synchronous);
    sink.before_write = [&](int64_t index) {
        if (index == 5)
            pipeline.cancel();
    };
    const RunStats stats = pipeline.run();
    EXPECT_TRUE(stats.cancelled);
    EXPECT_LT(stats.frames_processed, 100);
    EXPECT_EQ(stats.frames_captured, stats.frames_processed);
    EXPECT_EQ(sink.frames, numbersUpTo(stats.frames_processed));
    EXPECT_EQ(sink.finished, 1);
}

TEST_F(PipelineTest, CancelWakesASourceThatWaits) {
    Gate stopped;
    source.on_stop = [&] { stopped.open(); };
    source.before_grab = [&](int64_t next) {
        if (next == 3)
            stopped.wait(); // a camera that fell silent
    };
    Pipeline pipeline({source, detector, nullptr, {&sink}, {}}, Mode::RealTime);
    sink.before_write = [&](int64_t) { pipeline.cancel(); };
    EXPECT_TRUE(pipeline.run().cancelled);
}

TEST_F(PipelineTest, LostSourceStillDeliversItsFrames) {
    source.before_grab = [](int64_t next) {
        if (next == 7)
            throw std::runtime_error("camera gone");
    };
    EXPECT_EQ(failure(), "camera gone");
    EXPECT_EQ(sink.frames, numbersUpTo(7));
    EXPECT_EQ(sink.finished, 1);
}

TEST_F(PipelineTest, FailureInPreparingStopsAll) {
    detector.before_prepare = [](int number) {
        if (number == 4)
            throw std::runtime_error("no picture");
    };
    EXPECT_EQ(failure(), "no picture");
    EXPECT_EQ(sink.frames, numbersUpTo(4));
    EXPECT_EQ(sink.finished, 1);
}

TEST_F(PipelineTest, FailureInTheDetectorStopsAll) {
    detector.before_infer = [](int number) {
        if (number == 4)
            throw std::runtime_error("no memory");
    };
    EXPECT_EQ(failure(), "no memory");
    EXPECT_EQ(sink.frames, numbersUpTo(4)) << "results from before the failure are kept";
    EXPECT_EQ(sink.finished, 1);
}

TEST_F(PipelineTest, FailureInDecodingStopsAll) {
    detector.before_decode = [](int number) {
        if (number == 4)
            throw std::runtime_error("wrong shape");
    };
    EXPECT_EQ(failure(), "wrong shape");
    EXPECT_EQ(sink.frames, numbersUpTo(4));
}

TEST_F(PipelineTest, FailureInASinkStopsAll) {
    sink.before_write = [](int64_t index) {
        if (index == 4)
            throw std::runtime_error("disk full");
    };
    EXPECT_EQ(failure(), "disk full");
    EXPECT_EQ(sink.finished, 1) << "the sink may still complete what it has";
}

TEST_F(PipelineTest, FailureInASinkWakesASourceThatWaits) {
    Gate stopped;
    source.on_stop = [&] { stopped.open(); };
    source.before_grab = [&](int64_t next) {
        if (next == 3)
            stopped.wait();
    };
    sink.before_write = [](int64_t) { throw std::runtime_error("disk full"); };
    EXPECT_EQ(failure(Mode::RealTime), "disk full");
}

TEST_F(PipelineTest, FailureAtTheEndIsNotLost) {
    FakeSink second;
    sink.fail_at_finish = true;
    Pipeline pipeline({source, detector, nullptr, {&sink, &second}, {}}, Mode::Synchronous);
    EXPECT_THROW(pipeline.run(), std::runtime_error);
    EXPECT_EQ(second.finished, 1) << "one sink's failure is not another's";
}

TEST_F(PipelineTest, ObserverSeesResultsAndCounts) {
    std::vector<int64_t> seen;
    const auto observe = [&](const FrameResult& result, const RunCounts& counts) {
        seen.push_back(result.frame.index);
        EXPECT_EQ(counts.processed, static_cast<int64_t>(seen.size()));
        EXPECT_GE(counts.captured, counts.processed);
    };
    Pipeline pipeline({source, detector, nullptr, {&sink}, observe}, Mode::Synchronous);
    pipeline.run();
    EXPECT_EQ(seen, numbersUpTo(100));
}

} // namespace
} // namespace vigil::test
