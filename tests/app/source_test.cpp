#include "source/address.hpp"
#include "source/frame_range.hpp"
#include "source/image_source.hpp"
#include "source/live_source.hpp"
#include "source/source.hpp"
#include "support/scratch_folder.hpp"

#include <gtest/gtest.h>
#include <opencv2/imgcodecs.hpp>

#include <deque>
#include <fstream>

namespace vigil::test {
namespace {

using std::chrono::milliseconds;

TEST(Address, PasswordsAreNotShown) {
    EXPECT_EQ(withoutPassword("rtsp://ada:secret@camera:554/1"), "rtsp://ada@camera:554/1");
    EXPECT_EQ(withoutPassword("rtsp://ada:s:e@cret@camera"), "rtsp://ada@camera");
    for (const char* plain : {"http://host:80/a@b", "rtsp://ada@camera/1", "a:b@c.mp4", "http://h"})
        EXPECT_EQ(withoutPassword(plain), plain);
}

TEST(FrameRangeTest, PositionsAreFramesOrSeconds) {
    EXPECT_EQ(parsePosition("250").value, 250);
    EXPECT_FALSE(parsePosition("250").in_seconds);
    EXPECT_EQ(parsePosition("12.5s").value, 12.5);
    EXPECT_TRUE(parsePosition("12.5s").in_seconds);
    for (const char* wrong : {"", "s", "-1", "1.5", "x", "12 s", "nan", "infs", "1e999", "3ss"})
        EXPECT_THROW(parsePosition(wrong), cv::Exception) << wrong;
}

TEST(FrameRangeTest, SecondsAllowForRoundedTimeStamps) {
    Frame frame;
    frame.time_ms = 1999.98;
    EXPECT_TRUE((Position{2, true}.reachedBy(frame)));
    frame.time_ms = 1999.5;
    EXPECT_FALSE((Position{2, true}.reachedBy(frame)));
}

TEST(NaturalOrder, NumbersCompareAsNumbers) {
    EXPECT_TRUE(naturalLess("f9.png", "f10.png"));
    EXPECT_FALSE(naturalLess("f10.png", "f9.png"));
    EXPECT_TRUE(naturalLess("a", "b"));
    EXPECT_TRUE(naturalLess("f1", "f1a"));
    EXPECT_TRUE(naturalLess("99999999999999999999998", "99999999999999999999999"));
    EXPECT_NE(naturalLess("f01", "f1"), naturalLess("f1", "f01"));
    EXPECT_FALSE(naturalLess("f1", "f1"));
}

class ImagesTest : public testing::Test {
protected:
    void writeImage(const std::string& name, int value) {
        cv::imwrite(folder.path(name), cv::Mat(4, 6, CV_8UC3, cv::Scalar::all(value)));
    }

    ScratchFolder folder;
};

TEST_F(ImagesTest, FolderComesInNaturalOrder) {
    writeImage("f10.png", 10);
    writeImage("f9.png", 9);
    std::ofstream(folder.path("notes.txt")) << "no image";
    const auto source = openSource(folder.path());
    EXPECT_EQ(source->info().frame_count, 2);
    Frame frame;
    ASSERT_TRUE(source->grab(frame) && source->retrieve(frame));
    EXPECT_EQ(frame.name, "f9.png");
    EXPECT_EQ(frame.image.at<cv::Vec3b>(0, 0)[0], 9);
    ASSERT_TRUE(source->grab(frame) && source->retrieve(frame));
    EXPECT_EQ(frame.index, 1);
    EXPECT_EQ(frame.time_ms, 40);
    EXPECT_FALSE(source->grab(frame));
}

TEST_F(ImagesTest, GlobPicksAndDamagedImagesAreReported) {
    writeImage("a1.png", 1);
    writeImage("b1.png", 1);
    std::ofstream(folder.path("a2.png")) << "not really";
    const auto source = openSource(folder.path("a*.png"));
    Frame frame;
    EXPECT_TRUE(source->grab(frame) && source->retrieve(frame));
    ASSERT_TRUE(source->grab(frame));
    EXPECT_FALSE(source->retrieve(frame));
    EXPECT_FALSE(source->grab(frame));
    ASSERT_EQ(source->warnings().size(), 1U);
    EXPECT_NE(source->warnings()[0].find("a2.png"), std::string::npos);
}

TEST_F(ImagesTest, ErrorsNameTheSource) {
    std::ofstream(folder.path("text.mp4")) << "no video";
    std::ofstream(folder.path("empty.avi"));
    for (const std::string& name :
         {folder.path("missing.mp4"), folder.path("none*.png"), folder.path(),
          folder.path("text.mp4"), folder.path("empty.avi"), std::string("rtsp://127.0.0.1:1/x")})
        try {
            openSource(name);
            ADD_FAILURE() << name;
        } catch (const cv::Exception& error) {
            EXPECT_NE(error.err.find(name), std::string::npos) << error.err;
            EXPECT_EQ(error.err.find('\n'), std::string::npos) << error.err;
        }
}

/// Delivers a set number of frames, then nothing.
class FakeConnection : public Connection {
public:
    explicit FakeConnection(int frames) : frames_(frames) {}
    bool grab() override { return frames_-- > 0; }
    bool retrieve(cv::Mat& image) override {
        image = cv::Mat(2, 2, CV_8UC3);
        return true;
    }
    double fps() const override { return 30; }

private:
    int frames_;
};

class LiveTest : public testing::Test {
protected:
    /// Each number is a connection with that many frames; -1 is one that fails.
    std::unique_ptr<LiveSource> source(std::deque<int> connections) {
        plan = std::move(connections);
        const Connect connect = [this]() -> std::unique_ptr<Connection> {
            const int frames = plan.empty() ? -1 : plan.front();
            if (!plan.empty())
                plan.pop_front();
            return frames < 0 ? nullptr : std::make_unique<FakeConnection>(frames);
        };
        return std::make_unique<LiveSource>("cam", connect, "plug it in", LiveOptions(),
                                            [this](milliseconds wait) { waits.push_back(wait); });
    }

    std::deque<int> plan;
    std::vector<milliseconds> waits;
    Frame frame;
};

TEST_F(LiveTest, ReopensWithPausesThatDouble) {
    const auto live = source({1, -1, -1, 3});
    EXPECT_TRUE(live->info().live);
    EXPECT_TRUE(live->grab(frame));
    EXPECT_TRUE(live->grab(frame));
    EXPECT_EQ(frame.index, 1);
    EXPECT_EQ(waits, (std::vector<milliseconds>{milliseconds(500), milliseconds(1000),
                                                milliseconds(2000)}));
    EXPECT_EQ(live->warnings().size(), 1U);
}

TEST_F(LiveTest, GivesUpInTheEnd) {
    const auto live = source({1});
    EXPECT_TRUE(live->grab(frame));
    EXPECT_THROW(live->grab(frame), cv::Exception);
    EXPECT_EQ(waits.size(), static_cast<std::size_t>(LiveOptions().max_reopenings));
    EXPECT_EQ(waits.back(), milliseconds(30000));
}

TEST_F(LiveTest, FirstConnectionMustWork) {
    EXPECT_THROW(source({-1}), cv::Exception);
}

TEST_F(LiveTest, StopEndsIt) {
    const auto live = source({5});
    live->stop();
    EXPECT_FALSE(live->grab(frame));
}

} // namespace
} // namespace vigil::test
