#include "npy_files.hpp"
#include "run_program.hpp"
#include "support/street_model.hpp"
#include "tiny_models.hpp"

#include <irmb_dnn/acceleration.hpp>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <set>

namespace vigil::test {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const std::vector<float> rows = {1, 2, 3, 4, 0.9f, 0, 2, 3, 6, 7, 0.5f, 2, 0, 0, 0, 0, 0, 0};

void expectOneLineError(const ProgramResult& result, int exit_code, const std::string& what) {
    EXPECT_EQ(result.exit_code, exit_code) << result.err;
    EXPECT_THAT(result.err, StartsWith("vigil: error: "));
    EXPECT_THAT(result.err, HasSubstr(what));
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
    EXPECT_EQ(result.out, "");
}

json jsonOf(const ProgramResult& result) {
    const json parsed = json::parse(result.out, nullptr, false);
    EXPECT_FALSE(parsed.is_discarded()) << result.out << result.err;
    return parsed;
}

void expectKeys(const json& object, const std::vector<std::string>& keys) {
    for (const std::string& key : keys)
        EXPECT_TRUE(object.contains(key)) << key;
}

cv::Mat ramp(const std::vector<int>& shape) {
    cv::Mat blob(shape, CV_32F);
    for (std::size_t i = 0; i < blob.total(); ++i)
        blob.ptr<float>()[i] = 0.125f * static_cast<float>(i);
    return blob;
}

/// Arguments of vigil verify for a doubling model, its input and a reference that is off by
/// `error`.
std::vector<std::string> verifyArguments(double error, int reference_depth = CV_32F) {
    const cv::Mat input = ramp({1, 2, 3, 4});
    cv::Mat expected;
    input.convertTo(expected, reference_depth, 2.0, error);
    return {"verify",   writeDoublingModel({1, 2, 3, 4}),
            "--input",  writeNpy(input),
            "--expect", writeNpy(expected)};
}

TEST(CommandLine, HelpAndVersion) {
    for (const std::vector<std::string>& arguments :
         std::vector<std::vector<std::string>>{{}, {"--help"}, {"--version"}}) {
        const ProgramResult result = runVigil(arguments);
        EXPECT_EQ(result.exit_code, 0);
        EXPECT_THAT(result.out, HasSubstr("Vigil"));
        EXPECT_EQ(result.err, "");
    }
    EXPECT_THAT(runVigil({"--version"}).out, HasSubstr("OpenCV"));
    EXPECT_THAT(runVigil({"--version"}).out, ContainsRegex("\nbf16: +(yes|no: )"));
}

TEST(CommandLine, EveryCommandTeachesByExample) {
    for (const std::string command : {"info", "eval", "verify", "bench", "convert"}) {
        const ProgramResult result = runVigil({command, "--help"});
        EXPECT_EQ(result.exit_code, 0);
        EXPECT_THAT(result.out, HasSubstr("Examples:\n  vigil " + command));
    }
}

TEST(CommandLine, UsageErrorsNameTheValueAndTheRange) {
    const std::string model = writeDoublingModel({1, 2, 3, 4});
    for (const std::string threads : {"0", "-3", "abc", "1.5", "99999999999999999999", ""})
        expectOneLineError(runVigil({"bench", model, "--threads", threads}), 2,
                           "'" + threads + "' is not a whole number from 1 to");
    for (const std::string size : {"0x0", "640x", "x", "-1x5", "640x480x3", "99999x1"})
        expectOneLineError(runVigil({"info", model, "--input-size", size}), 2,
                           "'" + size + "' is not a size like");
    expectOneLineError(runVigil({"bench", model, "--iterations", "0"}), 2, "--iterations");
    expectOneLineError(runVigil({"info", model, "--engine", "old"}), 2, "auto, new, classic");
    expectOneLineError(runVigil({"info"}), 2, "MODEL");
    expectOneLineError(
        runVigil({"frobnicate", "--json"}), 2,
        "'frobnicate' is not a command; there are run, info, eval, verify, bench, convert; ");
    expectOneLineError(runVigil({"--frobnicate"}), 2, "--frobnicate; see vigil --help");
    expectOneLineError(runVigil({"info", model, "frobnicate"}), 2, "vigil info --help");
    expectOneLineError(runVigil({"info", model, "--frobnicate"}), 2, "vigil info --help");
    expectOneLineError(runVigil({"convert", model, model}), 2, "another name");
}

TEST(CommandLine, RuntimeErrorsNameTheFile) {
    for (const std::string command : {"info", "bench"})
        expectOneLineError(runVigil({command, "/no/such/model.onnx"}), 1, "/no/such/model.onnx");
    const std::string text = temporaryPath(".onnx");
    writeFile(text, "this is not a model\nat all\n");
    expectOneLineError(runVigil({"info", text}), 1, text);
    expectOneLineError(runVigil({"info", ::testing::TempDir()}), 1, ::testing::TempDir());
    expectOneLineError(runVigil({"info", writeDoublingModel({1, 2, 3, 4}), "--precision", "bf16"}),
                       1, "bf16");
}

TEST(Verify, PrintsTheVerdictAsJsonEitherWay) {
    const ProgramResult within = runVigil(verifyArguments(0));
    EXPECT_EQ(within.exit_code, 0) << within.err;
    const json good = jsonOf(within);
    expectKeys(good, {"max_abs_err", "max_rel_err", "ref_abs_max", "fused", "core", "unfused",
                      "engine", "backend", "opencv", "tolerance", "ok", "model"});
    EXPECT_EQ(good["max_abs_err"], 0);
    EXPECT_EQ(good["ref_abs_max"], 5.75);
    EXPECT_NEAR(good["tolerance"].get<double>(), 2e-5 * 5.75, 1e-9);
    EXPECT_EQ(good["ok"], true);
    EXPECT_EQ(good["unfused"], 0);
    EXPECT_THAT(good["engine"], AnyOf("new", "classic"));

    const ProgramResult beyond = runVigil(verifyArguments(0.5));
    EXPECT_EQ(beyond.exit_code, 1);
    EXPECT_EQ(jsonOf(beyond)["max_abs_err"], 0.5);
    EXPECT_EQ(jsonOf(beyond)["ok"], false);
}

TEST(Verify, TakesToleranceAndFloat64References) {
    std::vector<std::string> arguments = verifyArguments(0.5, CV_64F);
    EXPECT_EQ(runVigil(arguments).exit_code, 1);
    arguments.insert(arguments.end(), {"--tolerance", "0.5", "--json"});
    const ProgramResult result = runVigil(arguments);
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_EQ(result.err, "");
    arguments[arguments.size() - 2] = "-1";
    expectOneLineError(runVigil(arguments), 2, "-1");
}

TEST(Verify, FailsOnNotANumber) {
    cv::Mat expected = ramp({1, 2, 3, 4});
    expected.ptr<float>()[3] = std::numeric_limits<float>::quiet_NaN();
    const ProgramResult result =
        runVigil({"verify", writeDoublingModel({1, 2, 3, 4}), "--input",
                  writeNpy(ramp({1, 2, 3, 4})), "--expect", writeNpy(expected)});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_TRUE(jsonOf(result)["max_abs_err"].is_null());
}

TEST(Verify, TakesSizeAndBatchFromTheInput) {
    const cv::Mat input = ramp({3, 2, 5, 7});
    const std::string model = writeDoublingModel({-1, 2, -1, -1});
    const ProgramResult result = runVigil(
        {"verify", model, "--input", writeNpy(input), "--expect", writeNpy(cv::Mat(input * 2))});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_EQ(jsonOf(result)["output_shape"], json({3, 2, 5, 7}));
}

TEST(Verify, RefusesShapesThatDiffer) {
    const std::string model = writeDoublingModel({1, 2, 3, 4});
    const std::string input = writeNpy(ramp({1, 2, 3, 4}));
    expectOneLineError(
        runVigil({"verify", model, "--input", input, "--expect", writeNpy(ramp({1, 2, 4, 3}))}), 1,
        "1x2x4x3");
    expectOneLineError(
        runVigil({"verify", model, "--input", writeNpy(ramp({1, 2, 6, 4})), "--expect", input}), 1,
        model);
    expectOneLineError(
        runVigil({"verify", model, "--input", writeNpy(ramp({2, 12})), "--expect", input}), 1,
        "4 dimensions");
}

TEST(Verify, ComparesEndToEndDetectionsAsSets) {
    std::vector<float> shuffled(rows.begin() + 6, rows.begin() + 12);
    shuffled.insert(shuffled.end(), rows.begin(), rows.begin() + 6);
    shuffled.insert(shuffled.end(), rows.begin() + 12, rows.end());
    const std::string model = writeConstantDetector(rows);
    const std::string input = writeNpy(ramp({1, 3, 8, 8}));
    const std::vector<int> shape = {1, 3, 6};
    const ProgramResult equal = runVigil({"verify", model, "--input", input, "--expect",
                                          writeNpy(cv::Mat(shuffled, true).reshape(1, shape))});
    EXPECT_EQ(equal.exit_code, 0) << equal.err;
    EXPECT_EQ(jsonOf(equal)["compared_as"], "detections");
    EXPECT_EQ(jsonOf(equal)["rows_compared"], 2);

    shuffled[5] = 1; // another class
    const ProgramResult different =
        runVigil({"verify", model, "--input", input, "--expect",
                  writeNpy(cv::Mat(shuffled, true).reshape(1, shape)), "--tolerance", "100"});
    EXPECT_EQ(different.exit_code, 1);
    EXPECT_EQ(jsonOf(different)["rows_unmatched"], 2);
}

TEST(Info, DescribesADetector) {
    const std::string model = writeConstantDetector(rows);
    const ProgramResult text = runVigil({"info", model});
    EXPECT_EQ(text.exit_code, 0) << text.err;
    EXPECT_THAT(text.out, HasSubstr("1x3x8x8"));
    const json facts = jsonOf(runVigil({"info", model, "--json"}));
    expectKeys(facts, {"file_bytes", "output_shape", "fused", "core", "unfused", "engine",
                       "backend", "fallback_layers", "opencv", "cpu_features", "metadata"});
    EXPECT_EQ(facts["input_shape"], json({1, 3, 8, 8}));
    EXPECT_EQ(facts["head"], "end_to_end");
    EXPECT_EQ(facts["class_names"], json({"a", "b", "c"}));
    EXPECT_EQ(facts["opset"], 13);
}

TEST(Info, TellsWhatPrecisionThisMachineHas) {
    const std::string model = writeConstantDetector(rows);
    const bool usable = irmb::accelerationSupport().bfloat16;
    EXPECT_EQ(jsonOf(runVigil({"info", model, "--json"}))["bf16"], usable);
    EXPECT_THAT(runVigil({"info", model}).out, ContainsRegex(usable ? "bf16 +yes" : "bf16 +no: "));
}

TEST(Info, TellsWhichHeadsNeedNms) {
    EXPECT_THAT(runVigil({"info", vigil_test::street_model}).out,
                AllOf(HasSubstr("one-to-many scores, which need NMS"),
                      ContainsRegex("NMS +at IoU 0.5"), Not(HasSubstr("one-to-one"))));
    const std::string unasked = writeConstantDetector(rows, {{"nms_iou", "1"}});
    EXPECT_THAT(runVigil({"info", unasked}).out, Not(ContainsRegex("NMS +at")));
}

TEST(Info, TakesTheSizeOfADynamicModel) {
    const std::string model = writeDoublingModel({-1, 2, -1, -1});
    const json facts =
        jsonOf(runVigil({"info", model, "--input-size", "32x16", "--batch", "2", "--json"}));
    EXPECT_EQ(facts["input_shape"], json({2, 2, 16, 32}));
}

TEST(Bench, ReportsTimesAndLayers) {
    const std::string model = writeDoublingModel({1, 2, 3, 4});
    const ProgramResult result = runVigil(
        {"bench", model, "--iterations", "3", "--warmup", "1", "--threads", "1", "--json"});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    const json facts = jsonOf(result);
    EXPECT_LE(facts["min_ms"].get<double>(), facts["median_ms"].get<double>());
    EXPECT_LE(facts["median_ms"].get<double>(), facts["p95_ms"].get<double>());
    EXPECT_EQ(facts["iterations"], 3);
    EXPECT_EQ(facts["threads"], 1);
    EXPECT_FALSE(facts["layer_types"].empty());
    EXPECT_THAT(runVigil({"bench", model, "--iterations", "1"}).out, HasSubstr("median"));
}

TEST(Bench, TellsHowToSeeTheLayersOfARegion) {
    const std::vector<std::string> bench = {
        "bench", vigil_test::street_model, "--iterations", "1", "--warmup", "0"};
    std::vector<std::string> plain = bench;
    plain.insert(plain.end(), {"--cpu-acceleration", "off"});
    EXPECT_THAT(runVigil(plain).out, Not(HasSubstr("CpuRegion")));
    if (irmb::accelerationSupport().library.empty())
        GTEST_SKIP() << "nothing accelerates networks on this CPU";
    EXPECT_THAT(runVigil(bench).out,
                AllOf(ContainsRegex("Vigil's kernels and oneDNN .* run [0-9]+ of [0-9]+ operators"),
                      HasSubstr("--cpu-acceleration off shows its layers")));
}

TEST(Convert, WritesAModelThatComputesTheSame) {
    const std::string model = writeDoublingModel({1, 2, 3, 4});
    const std::string output = temporaryPath(".onnx");
    for (const bool expand : {false, true}) {
        std::vector<std::string> arguments = {"convert", model, output, "--json"};
        if (expand)
            arguments.push_back("--expand");
        const ProgramResult result = runVigil(arguments);
        EXPECT_EQ(result.exit_code, 0) << result.err;
        EXPECT_EQ(jsonOf(result)["output"], output);
        std::vector<std::string> check = verifyArguments(0);
        check[1] = output;
        EXPECT_EQ(runVigil(check).exit_code, 0);
    }
    expectOneLineError(runVigil({"convert", model, "/no/such/folder/x.onnx"}), 1,
                       "/no/such/folder/x.onnx");
}

TEST(Convert, ACutModelStillGivesTheRowsOfItsOriginal) {
    const char* data = std::getenv("VIGIL_TEST_DATA");
    if (!data)
        GTEST_SKIP() << "VIGIL_TEST_DATA is not set: no detector to convert";
    const std::string folder = std::string(data) + "/models/";
    const std::string output = temporaryPath(".onnx");
    const ProgramResult converted =
        runVigil({"convert", folder + "yolov10n_irmb_coco_slim.onnx", output, "--json"});
    ASSERT_EQ(converted.exit_code, 0) << converted.err;
    EXPECT_EQ(jsonOf(converted)["tail_cut"], true);
    EXPECT_EQ(jsonOf(converted)["fused"], 3);
    const ProgramResult result =
        runVigil({"verify", output, "--input", folder + "vtest_frame100_640x640.in.npy", "--expect",
                  folder + "yolov10n_irmb_coco_slim.out.npy"});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_EQ(jsonOf(result)["compared_as"], "detections");
    EXPECT_EQ(jsonOf(result)["rows_unmatched"], 0);
}

TEST(BadModels, EndWithAnAnswerOrOneLine) {
    const char* data = std::getenv("VIGIL_TEST_DATA");
    if (!data)
        GTEST_SKIP() << "VIGIL_TEST_DATA is not set: no broken models to try";
    for (const auto& entry : std::filesystem::directory_iterator(std::string(data) + "/bad/onnx")) {
        const std::string path = entry.path().string();
        SCOPED_TRACE(path);
        const ProgramResult result = runVigil({"info", path, "--json"});
        if (result.exit_code == 0)
            EXPECT_TRUE(jsonOf(result).contains("input_shape"));
        else
            expectOneLineError(result, 1, entry.path().filename().string());
        EXPECT_THAT(result.err, Not(HasSubstr("parse error"))); // OpenCV's own words
    }
}

} // namespace
} // namespace vigil::test
