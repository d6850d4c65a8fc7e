#include "run_program.hpp"
#include "support/scratch_folder.hpp"
#include "tiny_models.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>

#include <filesystem>
#include <fstream>

namespace vigil::test {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string fixtures = VIGIL_TEST_DIR "/eval/";

/// Data of two images, 16 x 16 pixels. The model, of 8 x 8 input pixels, finds the same two objects
/// in each: an "a" that is labelled in the first image and a "c" that is labelled nowhere.
class EvalCommandTest : public testing::Test {
protected:
    void SetUp() override {
        for (const char* name : {"images", "labels"})
            fs::create_directories(folder.path(name));
        for (const char* name : {"images/1.png", "images/2.png"})
            cv::imwrite(folder.path(name), cv::Mat(16, 16, CV_8UC3, cv::Scalar::all(90)));
        write("labels/1.txt", "0 0.25 0.5 0.25 0.25\n");
        write("labels/2.txt", "1 0.5 0.5 0.1 0.1\n");
    }

    void write(const std::string& name, const std::string& text) const {
        std::ofstream(folder.path(name)) << text;
    }

    ProgramResult eval(std::vector<std::string> options) const {
        options.insert(options.begin(), "eval");
        return runVigil(options);
    }

    Json evalJson(std::vector<std::string> options) const {
        options.push_back("--json");
        const ProgramResult result = eval(options);
        EXPECT_EQ(result.exit_code, 0) << result.err;
        EXPECT_EQ(result.err, "");
        return Json::parse(result.out, nullptr, false);
    }

    void expectError(const std::vector<std::string>& options, int code, const std::string& word) {
        const ProgramResult result = eval(options);
        EXPECT_EQ(result.exit_code, code) << result.err;
        EXPECT_THAT(result.err, HasSubstr(word));
        EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
    }

    ScratchFolder folder;
    std::string model = writeConstantDetector({1, 3, 3, 5, 0.75f, 0, //
                                               0, 2, 8, 6, 0.125f, 2});
};

TEST_F(EvalCommandTest, ScoresAModel) {
    const Json json = evalJson({"--model", model, "--data", folder.path()});
    EXPECT_EQ(json["images"], 2);
    EXPECT_EQ(json["objects"], 2);
    EXPECT_EQ(json["true_positives"], 1);
    EXPECT_EQ(json["false_positives"], 1);
    EXPECT_DOUBLE_EQ(json["ap50"], 0.5);
    ASSERT_EQ(json["classes"].size(), 3U);
    EXPECT_EQ(json["classes"][0]["name"], "a");
    EXPECT_DOUBLE_EQ(json["classes"][0]["ap50_95"], 1);
    EXPECT_DOUBLE_EQ(json["classes"][1]["ap50"], 0);
    EXPECT_TRUE(json["classes"][2]["ap50"].is_null());
    EXPECT_GT(json["speed"]["images_per_s"], 0.0);
    EXPECT_GE(json["speed"]["latency_ms"]["inference"]["p50"], 0.0);
    EXPECT_TRUE(json.contains("engine"));

    const Json low = evalJson({"--model", model, "--data", folder.path(), "--conf", "0.1"});
    EXPECT_EQ(low["false_positives"], 3);
    EXPECT_EQ(low["ap50"], json["ap50"]);
}

TEST_F(EvalCommandTest, PrintsATable) {
    const ProgramResult result = eval({"--model", model, "--data", folder.path()});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.out, HasSubstr("AP50-95\nall "));
    EXPECT_THAT(result.out, HasSubstr("images a second"));
    EXPECT_THAT(result.out, HasSubstr("\n-  undefined: precision without detections"));

    write("labels/2.txt", "0 0.5 0.5 0.1 0.1\n");
    const ProgramResult found = eval({"--model", model, "--data", folder.path()});
    EXPECT_EQ(found.exit_code, 0) << found.err;
    EXPECT_THAT(found.out, Not(HasSubstr("undefined")));
}

TEST_F(EvalCommandTest, WhatItSavesScoresTheSame) {
    const std::string saved = folder.path("found.json");
    const Json direct = evalJson({"--model", model, "--data", folder.path(), "--save", saved});
    write("names.txt", "a\nb\nc\n");
    const Json again = evalJson(
        {"--detections", saved, "--data", folder.path(), "--names", folder.path("names.txt")});
    EXPECT_EQ(again["classes"], direct["classes"]);
    EXPECT_EQ(again["ap50_95"], direct["ap50_95"]);
}

TEST_F(EvalCommandTest, ScoresDetectionsAsPycocotools) {
    std::ifstream stream(fixtures + "expected.json");
    const Json expected = Json::parse(stream);
    const Json json = evalJson(
        {"--detections", fixtures + "detections.json", "--data", fixtures + "annotations.json"});
    EXPECT_NEAR(json["ap50"], expected["ap50"], 1e-9);
    EXPECT_NEAR(json["ap50_95"], expected["ap50_95"], 1e-9);
}

TEST_F(EvalCommandTest, DamagedImagesAreLeftOut) {
    write("images/2.png", "no picture");
    const Json json = evalJson({"--model", model, "--data", folder.path()});
    EXPECT_EQ(json["images"], 1);
    EXPECT_EQ(json["objects"], 1);
    ASSERT_EQ(json["warnings"].size(), 1U);
    EXPECT_THAT(json["warnings"][0].get<std::string>(), HasSubstr("2.png"));
}

TEST_F(EvalCommandTest, Errors) {
    expectError({"--model", model}, 2, "--data");
    expectError({"--model", model, "--data", folder.path("none")}, 1, "none");
    expectError({"--model", folder.path("none.onnx"), "--data", folder.path()}, 1, "none.onnx");
    expectError({"--model", model, "--detections", model, "--data", folder.path()}, 2, "exclude");
    expectError({"--model", model, "--data", folder.path(), "--save", model}, 2, "overwrite");
    expectError({"--model", model, "--data", folder.path(), "--save", folder.path("none/o")}, 1,
                "none");
    expectError({"--detections", model, "--data", folder.path()}, 1, "no JSON");
    expectError({"--model", model, "--data", fixtures + "annotations.json"}, 1, "--images");
    write("labels/1.txt", "3 0.5 0.5 0.1 0.1\n");
    expectError({"--model", model, "--data", folder.path()}, 1, "--names");
}

} // namespace
} // namespace vigil::test
