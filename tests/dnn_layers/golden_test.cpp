// Models exported from PyTorch, read, fused or not, and run by every engine: the numbers must be
// PyTorch's. tests/golden/README.md says how the files were made.

#include "support/npy.hpp"

#include <irmb_dnn/detection.hpp>
#include <irmb_dnn/layers.hpp>
#include <irmb_dnn/model.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <optional>
#include <ostream>
#include <sstream>

namespace {

using irmb::Engine;
using irmb::Fusion;

const std::string kGolden = VIGIL_TEST_DIR "/../golden/";

struct GoldenCase {
    std::string name;
    std::string input;
    std::vector<std::string> expected; ///< one file an output
    std::string head;                  ///< output of the head in front of the tail, or empty
    std::optional<int> whole;
    std::optional<int> core;
    std::optional<int> unfused;
    bool throws = false;
};

void PrintTo(const GoldenCase& golden, std::ostream* stream) {
    *stream << golden.name;
}

std::vector<std::string> split(const std::string& list) {
    std::vector<std::string> parts;
    std::istringstream stream(list);
    for (std::string part; std::getline(stream, part, ',');)
        parts.push_back(part);
    return parts;
}

std::optional<int> parseCount(const std::string& text) {
    return text == "-" ? std::nullopt : std::optional<int>(std::stoi(text));
}

std::vector<GoldenCase> readCases() {
    std::ifstream file(kGolden + "cases.txt");
    std::vector<GoldenCase> cases;
    for (std::string line; std::getline(file, line);) {
        std::istringstream fields(line);
        std::string expected, whole, core, unfused;
        GoldenCase golden;
        if (line.empty() || line[0] == '#')
            continue;
        fields >> golden.name >> golden.input >> expected >> golden.head >> whole >> core >>
            unfused >> golden.throws;
        golden.expected = split(expected);
        golden.head = golden.head == "-" ? "" : golden.head;
        golden.whole = parseCount(whole);
        golden.core = parseCount(core);
        golden.unfused = parseCount(unfused);
        cases.push_back(golden);
    }
    return cases;
}

struct Mode {
    Engine engine;
    Fusion fusion;
    const char* name;
    bool for_cuda = false; ///< as the CUDA backend would be given the network
    bool keepsBlocks() const { return fusion == Fusion::Auto && !for_cuda; }
};

std::vector<Mode> modes() {
    std::vector<Mode> modes = {{Engine::Classic, Fusion::Auto, "classic engine, fused"},
                               {Engine::Classic, Fusion::Off, "classic engine, not fused"}};
    if (CV_VERSION_MAJOR >= 5) {
        modes.push_back({Engine::New, Fusion::Auto, "new engine, fused"});
        modes.push_back({Engine::New, Fusion::Off, "new engine, not fused"});
    }
    modes.push_back({Engine::Classic, Fusion::Off, "not fused, for CUDA", true});
    if (!irmb::hasCudaLayer())
        modes.push_back({Engine::Classic, Fusion::Auto, "as standard operators for CUDA", true});
    return modes;
}

irmb::Model readGolden(const GoldenCase& golden, const cv::Mat& input, const Mode& mode) {
    irmb::ReadOptions options;
    options.input_size = {input.size[3], input.size[2]};
    options.batch = input.size[0];
    options.engine = mode.engine;
    options.fusion = mode.fusion;
    options.for_cuda = mode.for_cuda;
    return irmb::readModel(kGolden + golden.name + "/model.onnx", options);
}

std::vector<cv::Mat> run(irmb::Model& model, const cv::Mat& input) {
    const std::vector<std::string>& names = model.info.output_names;
    model.net.setInput(input);
    std::vector<cv::Mat> outputs;
    model.net.forward(outputs, std::vector<cv::String>(names.begin(), names.end()));
    return outputs;
}

void expectClose(const cv::Mat& got, const cv::Mat& want) {
    ASSERT_EQ(got.size, want.size);
    ASSERT_TRUE(cv::checkRange(got)) << "NaN or infinity";
    const double limit = 2e-5 * std::max(1.0, cv::norm(want, cv::NORM_INF));
    EXPECT_LE(cv::norm(got, want, cv::NORM_INF), limit);
}

/// Boxes are pixels and scores are at most 1: each has a tolerance of its own.
void expectHeadClose(const cv::Mat& got, const cv::Mat& want) {
    ASSERT_EQ(got.size, want.size);
    const cv::Range all = cv::Range::all();
    for (const cv::Range rows : {cv::Range(0, 4), cv::Range(4, want.size[1])}) {
        const std::vector<cv::Range> ranges = {all, rows, all};
        expectClose(got(ranges).clone(), want(ranges).clone());
    }
}

bool isSameDetection(const float* a, const float* b) {
    const bool is_near =
        std::equal(a, a + 4, b, [](float u, float v) { return std::abs(u - v) <= 0.05f; });
    return is_near && std::abs(a[4] - b[4]) <= 1e-4f && a[5] == b[5];
}

/// Every row of `want` that is clearly better than its last one has its match in `got`.
void expectSameDetections(const cv::Mat& got, const cv::Mat& want) {
    ASSERT_EQ(got.size, want.size);
    const int rows = want.size[1];
    for (int image = 0; image < want.size[0]; ++image) {
        const float last = want.ptr<float>(image, rows - 1)[4];
        for (int i = 0; i < rows; ++i) {
            const float* row = want.ptr<float>(image, i);
            bool found = row[4] <= last + 1e-4f;
            for (int j = 0; j < rows && !found; ++j)
                found = isSameDetection(got.ptr<float>(image, j), row);
            EXPECT_TRUE(found) << "image " << image << ", detection " << i;
        }
    }
}

void expectOutputs(const GoldenCase& golden, const irmb::Model& model,
                   const std::vector<cv::Mat>& outputs) {
    ASSERT_EQ(outputs.size(), golden.expected.size());
    for (size_t i = 0; i < outputs.size(); ++i) {
        const cv::Mat want = vigil_test::readNpy(kGolden + golden.expected[i]);
        if (!golden.head.empty()) {
            ASSERT_TRUE(model.info.tail_cut);
            expectHeadClose(outputs[i], vigil_test::readNpy(kGolden + golden.head));
            expectSameDetections(irmb::endToEnd(outputs[i], want.size[1]), want);
        } else if (model.info.head == irmb::HeadKind::RawXyxy) {
            expectHeadClose(outputs[i], want);
        } else {
            expectClose(outputs[i], want);
        }
    }
}

void expectCounts(const GoldenCase& golden, const irmb::FusionReport& report, const Mode& mode) {
    if (!mode.keepsBlocks()) {
        EXPECT_EQ(report.whole(), 0);
        EXPECT_EQ(report.core(), 0);
        return;
    }
    const auto expect = [](std::optional<int> want, int got, const char* what) {
        EXPECT_EQ(got, want.value_or(got)) << what;
    };
    expect(golden.whole, report.whole(), "fused whole");
    expect(golden.core, report.core(), "fused as core");
    expect(golden.unfused, report.unfused(), "left unfused");
}

class Golden : public testing::TestWithParam<GoldenCase> {};

TEST_P(Golden, EqualsPyTorch) {
    const GoldenCase& golden = GetParam();
    const cv::Mat input = vigil_test::readNpy(kGolden + golden.input);
    for (const Mode& mode : modes()) {
        SCOPED_TRACE(mode.name);
        if (golden.throws) {
            EXPECT_THROW(readGolden(golden, input, mode), cv::Exception);
            continue;
        }
        try {
            irmb::Model model = readGolden(golden, input, mode);
            expectCounts(golden, model.report, mode);
            expectOutputs(golden, model, run(model, input));
        } catch (const cv::Exception& error) {
            ADD_FAILURE() << error.what();
        }
    }
}

TEST(GoldenCases, AreThere) {
    EXPECT_GE(readCases().size(), 30u) << "tests/golden/cases.txt is missing or cut short";
}

TEST(GoldenCases, SayWhyACudaBackendGetsStandardOperators) {
    if (irmb::hasCudaLayer())
        GTEST_SKIP() << "the CUDA layer is there";
    irmb::ReadOptions options;
    options.for_cuda = true;
    options.engine = Engine::Classic;
    irmb::Model model = irmb::readModel(kGolden + "default_sim/model.onnx", options);
    ASSERT_EQ(model.report.unfused(), 1);
    EXPECT_NE(model.report.blocks[0].reason.find("no CUDA layer"), std::string::npos);
    for (const std::string& name : model.net.getLayerNames())
        EXPECT_EQ(model.net.getLayer(model.net.getLayerId(name))->type.find("iRMB"),
                  std::string::npos);
    options.fusion = Fusion::Required;
    EXPECT_THROW(irmb::readModel(kGolden + "default_sim/model.onnx", options), cv::Exception);
}

INSTANTIATE_TEST_SUITE_P(, Golden, testing::ValuesIn(readCases()),
                         [](const auto& golden) { return golden.param.name; });

} // namespace
