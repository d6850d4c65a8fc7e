#include "run_program.hpp"
#include "support/scratch_folder.hpp"
#include "tiny_models.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/videoio.hpp>

#include <algorithm>

namespace vigil::test {
namespace {

using Json = nlohmann::json;

constexpr int clip_frames = 12;
const cv::Size clip_size(64, 32);

/// Runs `vigil run` on a clip of 12 frames, 64 x 32 pixels, 25 a second. The model, of 8 x 8 input
/// pixels, finds the same two objects in each frame: one input pixel is 8 pixels of the clip, and
/// the picture lies in the rows 2 to 6 of the input.
class RunCommandTest : public testing::Test {
protected:
    void SetUp() override {
        cv::VideoWriter writer(clip, cv::CAP_FFMPEG, cv::VideoWriter::fourcc('M', 'J', 'P', 'G'),
                               25, clip_size);
        ASSERT_TRUE(writer.isOpened());
        for (int i = 0; i < clip_frames; ++i)
            writer.write(cv::Mat(clip_size, CV_8UC3, cv::Scalar::all(10 * i)));
    }

    ProgramResult run(std::vector<std::string> options) {
        options.insert(options.begin(), {"run", "--quiet", "--model", model});
        if (std::find(options.begin(), options.end(), "--source") == options.end())
            options.insert(options.end(), {"--source", clip});
        return runVigil(options);
    }

    std::vector<Json> lines(const std::string& name) const {
        std::vector<Json> all;
        std::istringstream stream(folder.read(name));
        for (std::string line; std::getline(stream, line);)
            all.push_back(Json::parse(line));
        return all;
    }

    void expectUsageError(const std::vector<std::string>& options, const std::string& word) {
        expectError(options, 2, word);
    }

    void expectError(const std::vector<std::string>& options, int code, const std::string& word) {
        const ProgramResult result = run(options);
        EXPECT_EQ(result.exit_code, code) << result.err;
        EXPECT_NE(result.err.find(word), std::string::npos) << result.err;
        EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
    }

    ScratchFolder folder;
    std::string clip = folder.path("clip.avi");
    std::string model = writeConstantDetector({1, 3, 3, 5, 0.75f, 0, //
                                               0, 2, 8, 6, 0.5f, 2});
};

int framesOf(const std::string& path) {
    cv::VideoCapture capture(path, cv::CAP_FFMPEG);
    int count = 0;
    while (capture.grab())
        ++count;
    return count;
}

TEST_F(RunCommandTest, WritesEverything) {
    const ProgramResult result =
        run({"--output", folder.path("o.mp4"), "--jsonl", folder.path("o.jsonl"), "--csv",
             folder.path("o.csv"), "--mot", folder.path("o.txt"), "--summary",
             folder.path("o.json"), "--info", "--backend", "cpu"});
    ASSERT_EQ(result.exit_code, 0) << result.err;
    EXPECT_EQ(result.err, "");
    EXPECT_EQ(framesOf(folder.path("o.mp4")), clip_frames);

    const std::vector<Json> frames = lines("o.jsonl");
    ASSERT_EQ(frames.size(), static_cast<std::size_t>(clip_frames));
    EXPECT_EQ(frames[3]["frame"], 3);
    EXPECT_NEAR(frames[3]["time_ms"].get<double>(), 120, 0.01);
    const Json& found = frames[3]["detections"];
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0]["name"], "a");
    EXPECT_NEAR(found[0]["score"].get<double>(), 0.75, 1e-6);
    EXPECT_EQ(found[0]["box"], (Json{8.0, 8.0, 24.0, 24.0}));
    EXPECT_EQ(found[1]["class"], 2);
    EXPECT_EQ(found[1]["box"], (Json{0.0, 0.0, 64.0, 32.0}));

    const std::string csv = folder.read("o.csv");
    EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 1 + 2 * clip_frames);
    EXPECT_EQ(folder.read("o.txt").rfind("1,-1,8.000,8.000,16.000,16.000,0.750000,-1,-1,-1\n", 0),
              0U);
}

TEST_F(RunCommandTest, SummaryHasItsKeys) {
    ASSERT_EQ(run({"--summary", folder.path("o.json")}).exit_code, 0);
    const Json summary = Json::parse(folder.read("o.json"));
    EXPECT_EQ(summary["frames_captured"], clip_frames);
    EXPECT_EQ(summary["frames_processed"], clip_frames);
    for (const auto& [cause, count] : summary["frames_dropped"].items())
        EXPECT_EQ(count, 0) << cause;
    EXPECT_GT(summary["wall_s"].get<double>(), 0);
    EXPECT_GT(summary["fps"].get<double>(), 0);
    for (const char* stage :
         {"decode", "preprocess", "inference", "postprocess", "render", "write"}) {
        EXPECT_GE(summary["latency_ms"][stage]["p50"].get<double>(), 0) << stage;
        EXPECT_GE(summary["latency_ms"][stage]["p95"], summary["latency_ms"][stage]["p50"]);
    }
    for (const char* key : {"engine", "backend", "target", "opencv", "model", "source"})
        EXPECT_FALSE(summary[key].get<std::string>().empty()) << key;
    EXPECT_EQ(summary["fallback_layers"], Json::array());
    for (const char* key : {"fused", "core", "unfused"})
        EXPECT_EQ(summary[key], 0) << key;
}

TEST_F(RunCommandTest, SelectsFrames) {
    ASSERT_EQ(run({"--start", "2", "--end", "0.4s", "--every", "3", "--jsonl",
                   folder.path("o.jsonl"), "--output", folder.path("o.mkv")})
                  .exit_code,
              0);
    const std::vector<Json> frames = lines("o.jsonl");
    ASSERT_EQ(frames.size(), 3U);
    EXPECT_EQ(frames[0]["frame"], 2);
    EXPECT_EQ(frames[2]["frame"], 8);
    EXPECT_EQ(framesOf(folder.path("o.mkv")), 3);
}

TEST_F(RunCommandTest, SelectsDetections) {
    const std::vector<std::vector<std::string>> choices = {
        {"--classes", "A"}, {"--classes", "0"}, {"--conf", "0.6"}, {"--max-det", "1"}};
    for (std::vector<std::string> choice : choices) {
        choice.insert(choice.end(), {"--jsonl", folder.path("o.jsonl")});
        ASSERT_EQ(run(choice).exit_code, 0);
        const Json found = lines("o.jsonl").at(0)["detections"];
        ASSERT_EQ(found.size(), 1U) << choice[0];
        EXPECT_EQ(found[0]["class"], 0);
    }
    ASSERT_EQ(run({"--conf", "0.9", "--jsonl", folder.path("o.jsonl")}).exit_code, 0);
    EXPECT_EQ(lines("o.jsonl").at(0)["detections"], Json::array());
}

TEST_F(RunCommandTest, RemovesDoublesAsAsked) {
    model = writeConstantDetector({1, 3, 3, 5, 0.75f, 0, //
                                   1, 3, 3, 5, 0.5f, 0},
                                  {{"nms_iou", "0.6"}});
    const auto found = [&](const std::vector<std::string>& more) {
        std::vector<std::string> options = {"--jsonl", folder.path("o.jsonl")};
        options.insert(options.end(), more.begin(), more.end());
        EXPECT_EQ(run(options).exit_code, 0);
        return lines("o.jsonl").at(0)["detections"].size();
    };
    EXPECT_EQ(found({}), 1U);
    EXPECT_EQ(found({"--nms", "1"}), 2U);
    model = writeConstantDetector({1, 3, 3, 5, 0.75f, 0, 1, 3, 3, 5, 0.5f, 0});
    EXPECT_EQ(found({}), 2U);
    EXPECT_EQ(found({"--nms", "0.9"}), 1U);
}

TEST_F(RunCommandTest, StandardOutputTakesData) {
    const ProgramResult result = run({"--jsonl", "-"});
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_EQ(std::count(result.out.begin(), result.out.end(), '\n'), clip_frames);
}

TEST_F(RunCommandTest, AnnotatesFoldersOfImages) {
    std::filesystem::create_directory(folder.path("in"));
    cv::imwrite(folder.path("in/b.png"), cv::Mat(clip_size, CV_8UC3, cv::Scalar::all(90)));
    ASSERT_EQ(run({"--source", folder.path("in"), "--output", folder.path("out/")}).exit_code, 0);
    EXPECT_EQ(cv::imread(folder.path("out/b.png")).size(), clip_size);
    expectUsageError({"--source", folder.path("in"), "--output", folder.path("in/")}, "overwrite");
}

TEST_F(RunCommandTest, RealTimeModePlaysAtThePaceOfTheClip) {
    ASSERT_EQ(run({"--mode", "realtime", "--summary", folder.path("o.json")}).exit_code, 0);
    const Json summary = Json::parse(folder.read("o.json"));
    EXPECT_EQ(summary["frames_captured"], clip_frames);
    EXPECT_EQ(summary["mode"], "realtime");
    const Json& dropped = summary["frames_dropped"];
    EXPECT_EQ(summary["frames_processed"].get<int>() + dropped["superseded"].get<int>(),
              clip_frames);
}

TEST_F(RunCommandTest, UsageErrors) {
    expectUsageError({"--conf", "2"}, "--conf");
    expectUsageError({"--every", "0"}, "--every");
    expectUsageError({"--start", "x"}, "'x'");
    expectUsageError({"--start", "9", "--end", "3"}, "--end");
    expectUsageError({"--classes", "unicorn"}, "unicorn");
    expectUsageError({"--output", folder.path("o.xyz")}, "o.xyz");
    expectUsageError({"--output", clip}, "overwrite");
    expectUsageError({"--jsonl", model}, "overwrite");
    expectUsageError({"--jsonl", folder.path("o"), "--csv", folder.path("o")}, "two outputs");
    expectUsageError({"--backend", "abacus"}, "abacus");
}

TEST_F(RunCommandTest, RuntimeErrors) {
    expectError({"--source", folder.path("none.mp4")}, 1, "none.mp4");
    expectError({"--output", folder.path("none/o.mp4")}, 1, "none");
    expectError({"--precision", "bf16"}, 1, "bf16");
    expectError({"--start", "100"}, 1, "--start");
    for (const char* kind : {"--jsonl", "--csv", "--mot", "--output", "--summary"})
        expectError({kind, "/dev/full"}, 1, "No space left");
    model = folder.path("none.onnx");
    expectError({}, 1, "none.onnx");
}

} // namespace
} // namespace vigil::test
