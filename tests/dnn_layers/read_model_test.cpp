#include "onnx/file/io.hpp"
#include "support/expect_words.hpp"
#include "support/graph_builder.hpp"
#include "support/npy.hpp"
#include "support/random_irmb.hpp"
#include "support/scratch_folder.hpp"

#include <irmb_dnn/detection.hpp>
#include <irmb_dnn/layers.hpp>
#include <irmb_dnn/model.hpp>

#include <gtest/gtest.h>
#include <opencv2/core/utils/logger.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace irmb::onnx;
using irmb::Engine;
using irmb::Fusion;
using irmb::HeadKind;
using irmb::Model;
using irmb::ReadOptions;
using irmb::test::expectWords;
using irmb::test::makeNode;
using irmb::test::makeSmallModel;
using irmb::test::makeValue;
using irmb::test::maxDifference;
using vigil::test::ScratchFolder;

namespace {

std::string faultOf(const std::string& path, const ReadOptions& options = {}) {
    try {
        irmb::readModel(path, options);
    } catch (const cv::Exception& error) {
        EXPECT_EQ(error.err.find('\n'), std::string::npos) << error.err;
        EXPECT_EQ(error.err.find(path + ":"), 0u) << error.err;
        return error.err;
    }
    return "nothing was thrown";
}

std::string faultOf(const OnnxModel& model, const ReadOptions& options = {}) {
    const ScratchFolder folder;
    save(model, folder.path("model.onnx"));
    return faultOf(folder.path("model.onnx"), options);
}

Model read(const OnnxModel& model, const ReadOptions& options = {}) {
    const ScratchFolder folder;
    save(model, folder.path("model.onnx"));
    return irmb::readModel(folder.path("model.onnx"), options);
}

OnnxModel makeOpenModel() {
    OnnxModel model = makeSmallModel();
    model.graph.inputs.front().shape = {-1, 3, -1, -1};
    model.graph.nodes.pop_back();
    model.graph.outputs = {makeValue("positive", {-1, 2, -1, -1})};
    return model;
}

std::vector<Engine> engines() {
#if CV_VERSION_MAJOR >= 5
    return {Engine::Classic, Engine::New};
#else
    return {Engine::Classic};
#endif
}

/// Folder of real test data, or "".
std::string dataFolder() {
    const char* folder = std::getenv("VIGIL_TEST_DATA");
    return folder != nullptr ? folder : "";
}

} // namespace

TEST(ReadModel, DescribesTheNetwork) {
    for (const Engine engine : engines()) {
        ReadOptions options;
        options.engine = engine;
        const Model model = read(makeSmallModel(), options);
        EXPECT_EQ(model.engine, engine == Engine::New ? "new" : "classic");
        EXPECT_EQ(model.info.input_name, "image");
        EXPECT_EQ(model.info.input_shape, (std::vector<int>{1, 3, 6, 6}));
        EXPECT_EQ(model.info.input_size, cv::Size(6, 6));
        EXPECT_EQ(model.info.output_names, std::vector<std::string>{"out"});
        EXPECT_EQ(model.info.output_shape, (std::vector<int>{1, 72}));
        EXPECT_EQ(model.info.head, HeadKind::None);
        EXPECT_EQ(model.info.class_names, (std::vector<std::string>{"person", "car"}));
        EXPECT_EQ(model.info.stride, 8);
        EXPECT_EQ(model.info.opset, 13);
        EXPECT_EQ(model.info.producer, "maker 1.2");
    }
}

TEST(ReadModel, FixesOpenSizes) {
    ReadOptions options;
    options.input_size = {10, 8};
    options.batch = 2;
    Model model = read(makeOpenModel(), options);
    EXPECT_EQ(model.info.input_shape, (std::vector<int>{2, 3, 8, 10}));
    EXPECT_EQ(model.info.output_shape, (std::vector<int>{2, 2, 8, 10}));
    EXPECT_EQ(model.info.batch, 2);
    const int sizes[] = {2, 3, 8, 10};
    model.net.setInput(cv::Mat(4, sizes, CV_32F, cv::Scalar(1)));
    EXPECT_EQ(model.net.forward().size[2], 8);
}

TEST(ReadModel, TakesOpenSizesFromTheMetadata) {
    OnnxModel model = makeOpenModel();
    model.metadata["imgsz"] = "[16, 24]";
    EXPECT_EQ(read(model).info.input_shape, (std::vector<int>{1, 3, 16, 24}));
}

TEST(ReadModel, AsksForSizesThatNobodyKnows) {
    expectWords(faultOf(makeOpenModel()), {"'image'", "input size"});
}

TEST(ReadModel, RefusesNetworksThatItCannotFeed) {
    OnnxModel two = makeSmallModel();
    two.graph.inputs.push_back(makeValue("other", {1, 2, 6, 6}));
    two.graph.nodes[1] = makeNode("Add", {"map", "other"}, {"positive"});
    expectWords(faultOf(two), {"2 inputs"});

    OnnxModel bytes = makeSmallModel();
    bytes.graph.inputs.front().type = DataType::Uint8;
    bytes.graph.nodes.insert(bytes.graph.nodes.begin(),
                             makeNode("Cast", {"image"}, {"real"}, {{"to", int64_t{1}}}));
    bytes.graph.nodes[1].inputs[0] = "real";
    expectWords(faultOf(bytes), {"'image'", "uint8", "float32"});

    OnnxModel huge = makeOpenModel();
    huge.graph.inputs.front().shape = {1, 3, 65536, 65536};
    expectWords(faultOf(huge), {"1x3x65536x65536", "too large"});

    OnnxModel wide = makeOpenModel();
    wide.graph.initializers["weight"] = irmb::test::makeRamp({3000, 3, 3, 3});
    wide.graph.initializers["bias"] = irmb::test::makeRamp({3000});
    wide.graph.inputs.front().shape = {1, 3, 2000, 2000};
    expectWords(faultOf(wide), {"3000", "smaller input"});
}

TEST(ReadModel, SaysWhenOpenCvCannotImport) {
    for (const Engine engine : engines()) {
        ReadOptions options;
        options.engine = engine;
        OnnxModel model = makeSmallModel();
        model.graph.nodes[1].op = "NoSuchOp";
        if (CV_VERSION_MAJOR >= 5 && engine == Engine::New) // does not tell what it lacks
            expectWords(faultOf(model, options),
                        {"OpenCV " CV_VERSION, "cannot import", "try another engine"});
        else
            expectWords(faultOf(model, options),
                        {"OpenCV " CV_VERSION, "has no operator 'NoSuchOp' (node ",
                         "with standard operators"});
    }
#if CV_VERSION_MAJOR < 5
    ReadOptions options;
    options.engine = Engine::New;
    expectWords(faultOf(makeSmallModel(), options), {"OpenCV " CV_VERSION, "classic"});
#endif
}

TEST(ReadModel, LeavesTheLogAlone) {
    const auto before = cv::utils::logging::getLogLevel();
    OnnxModel model = makeSmallModel();
    model.graph.nodes[1].op = "NoSuchOp";
    faultOf(model);
    EXPECT_EQ(cv::utils::logging::getLogLevel(), before);
}

TEST(ReadModel, DoesNotTakeMasksForClasses) {
    OnnxModel model = makeSmallModel();
    model.graph.initializers["shape"] = Tensor::fromInts({3}, {1, 8, 9});
    model.graph.outputs = {makeValue("out", {1, 8, 9})};
    EXPECT_EQ(read(model).info.head, HeadKind::RawCxcywh);
    model.metadata["task"] = "segment";
    EXPECT_EQ(read(model).info.head, HeadKind::None);
}

TEST(ReadModel, KeepsMessagesShort) {
    OnnxModel model = load(VIGIL_TEST_DIR "/../golden/node_default/model.onnx");
    model.graph.nodes.front().attributes["act_layer"] = std::string(10000, 'x');
    const std::string fault = faultOf(model);
    expectWords(fault, {"act_layer"});
    EXPECT_LT(fault.size(), 1000u);
}

TEST(Forward, NamesTheFileWhenOpenCvCannotRunIt) {
    ReadOptions options;
    options.engine = Engine::Classic; // the new engine computes something from any input
    Model model = read(makeSmallModel(), options);
    model.net.setInput(cv::Mat(std::vector<int>{1, 5, 6, 6}, CV_32F, cv::Scalar(0)));
    try {
        irmb::forward(model);
        FAIL() << "five channels were taken for three";
    } catch (const cv::Exception& error) {
        EXPECT_EQ(error.err.find(model.info.path + ": OpenCV"), 0u) << error.err;
        EXPECT_EQ(error.err.find('\n'), std::string::npos) << error.err;
    }
}

TEST(ReadModel, DemandsFusionOnRequest) {
    const std::string golden = VIGIL_TEST_DIR "/../golden/";
    ReadOptions required;
    required.fusion = Fusion::Required;
    EXPECT_EQ(irmb::readModel(golden + "default_raw/model.onnx", required).report.whole(), 1);
    expectWords(faultOf(golden + "core_relu_local/model.onnx", required),
                {"1 of 1", "cannot be fused whole"});
}

TEST(ConvertModel, WritesWhatPlainOpenCvReads) {
    const std::string golden = VIGIL_TEST_DIR "/../golden/";
    const cv::Mat input = vigil_test::readNpy(golden + "inputs/1x16x9x11.npy");
    const cv::Mat expected = vigil_test::readNpy(golden + "default_raw/expected.npy");
    irmb::registerLayers();
    for (const Fusion fusion : {Fusion::Auto, Fusion::Off}) {
        const ScratchFolder folder;
        ReadOptions options;
        options.fusion = fusion;
        const Model model = irmb::convertModel(golden + "default_raw/model.onnx",
                                               folder.path("converted.onnx"), options);
        EXPECT_TRUE(model.net.empty());
        EXPECT_EQ(model.report.whole(), fusion == Fusion::Auto ? 1 : 0);
        cv::dnn::Net net = cv::dnn::readNetFromONNX(cv::String(folder.path("converted.onnx")));
        net.setInput(input);
        EXPECT_LE(maxDifference(net.forward(), expected), 1e-4);
    }
}

TEST(ConvertModel, ReadsItsOwnFilesAgain) {
    const std::string golden = VIGIL_TEST_DIR "/../golden/";
    const ScratchFolder folder;
    const std::string once = folder.path("once.onnx");
    irmb::convertModel(golden + "yolo_end2end_slim/model.onnx", once);
    const Model model = irmb::readModel(once);
    EXPECT_EQ(model.info.head, HeadKind::RawXyxy);
    EXPECT_GT(model.report.whole(), 0);
}

TEST(ReadModel, SurvivesDamagedFiles) {
    // Every pass and OpenCV's importer run on what still parses; only exceptions may come out.
    const std::string golden = VIGIL_TEST_DIR "/../golden/";
    cv::RNG rng(11);
    for (const char* name : {"default_slim", "not_psa_raw", "node_everything"}) {
        std::ifstream stream(golden + name + "/model.onnx", std::ios::binary);
        const std::string whole((std::istreambuf_iterator<char>(stream)), {});
        ASSERT_FALSE(whole.empty());
        const ScratchFolder folder;
        for (int round = 0; round < 60; ++round) {
            std::string damaged = whole;
            for (int i = rng.uniform(1, 5); i > 0; --i)
                damaged[static_cast<std::size_t>(rng.uniform(0, static_cast<int>(whole.size())))] ^=
                    static_cast<char>(1 << rng.uniform(0, 8));
            std::ofstream(folder.path("damaged.onnx"), std::ios::binary) << damaged;
            try {
                irmb::convertModel(folder.path("damaged.onnx"), folder.path("out.onnx"));
            } catch (const cv::Exception& error) {
                EXPECT_EQ(error.err.find('\n'), std::string::npos) << error.err;
            }
        }
    }
}

TEST(RealModel, GivesPyTorchsDetections) {
    const std::string models = dataFolder() + "/models/";
    if (!std::filesystem::exists(models + "yolov10n_irmb_coco_slim.onnx"))
        GTEST_SKIP() << "VIGIL_TEST_DATA names no folder with models/: nothing real was tested";
    const cv::Mat input = vigil_test::readNpy(models + "vtest_frame100_640x640.in.npy");
    const cv::Mat expected = vigil_test::readNpy(models + "yolov10n_irmb_coco_slim.out.npy");
    for (const Engine engine : engines()) {
        for (const Fusion fusion : {Fusion::Required, Fusion::Off}) {
            ReadOptions options;
            options.engine = engine;
            options.fusion = fusion;
            Model model = irmb::readModel(models + "yolov10n_irmb_coco_slim.onnx", options);
            ASSERT_TRUE(model.info.tail_cut);
            model.net.setInput(input);
            const cv::Mat rows = irmb::endToEnd(model.net.forward(), model.info.max_detections);
            int compared = 0;
            for (int i = 0; i < expected.size[1]; ++i) {
                const float* want = expected.ptr<float>(0, i);
                if (want[4] < 0.05f)
                    continue;
                ++compared;
                float box = 1e9f;
                float score = 1e9f;
                for (int j = 0; j < rows.size[1]; ++j) {
                    const float* got = rows.ptr<float>(0, j);
                    float difference = 0.f;
                    for (int k = 0; k < 4; ++k)
                        difference += std::abs(got[k] - want[k]); // NaN stays NaN
                    if (got[5] == want[5] && difference < box) {
                        box = difference;
                        score = std::abs(got[4] - want[4]);
                    }
                }
                EXPECT_LE(box, 0.05f) << "row " << i;
                EXPECT_LE(score, 1e-4f) << "row " << i;
            }
            EXPECT_EQ(compared, 21);
        }
    }
}

TEST(RealModel, BadFilesGiveOneLineOrAResult) {
    const std::string bad = dataFolder() + "/bad/onnx";
    if (!std::filesystem::exists(bad))
        GTEST_SKIP()
            << "VIGIL_TEST_DATA names no folder with bad/onnx: no real bad file was tested";
    for (const auto& entry : std::filesystem::directory_iterator(bad)) {
        try {
            Model model = irmb::readModel(entry.path().string());
            model.net.setInput(cv::Mat(model.info.input_shape, CV_32F, cv::Scalar(0.5)));
            const cv::Mat output = model.net.forward();
            if (model.info.head != HeadKind::None)
                irmb::decode(output, model.info.head,
                             irmb::Letterbox::fit({640, 480}, model.info.input_size));
        } catch (const cv::Exception& error) {
            EXPECT_EQ(error.err.find('\n'), std::string::npos) << entry.path() << error.err;
        }
    }
}

/// OpenCV's CUDA backend has no Gather.
TEST(ReadModel, WritesGathersOfOneIndexAsSlicesForCuda) {
    struct Case {
        int64_t axis;
        Tensor index;
        Shape output;
        cv::Range channels, rows;
    };
    const Case cases[] = {
        {1, irmb::test::makeInts({}, {-1}), {1, 4, 5}, {2, 3}, cv::Range::all()},
        {-2, irmb::test::makeList({1}), {1, 3, 1, 5}, cv::Range::all(), {1, 2}},
    };
    for (const Case& which : cases) {
        OnnxModel model =
            irmb::test::makeModel(makeValue("x", {1, 3, 4, 5}), makeValue("y", which.output));
        model.graph.initializers["index"] = which.index;
        model.graph.nodes = {
            makeNode("Relu", {"x"}, {"positive"}),
            makeNode("Gather", {"positive", "index"}, {"y"}, {{"axis", which.axis}})};
        ReadOptions options;
        options.engine = Engine::Classic;
        options.for_cuda = true;
        Model read_model = read(model, options);
        for (const std::string& name : read_model.net.getLayerNames())
            EXPECT_NE(read_model.net.getLayer(read_model.net.getLayerId(name))->type, "Gather");

        cv::Mat x({1, 3, 4, 5}, CV_32F);
        cv::RNG(1).fill(x, cv::RNG::UNIFORM, 0, 1);
        const std::vector<cv::Range> part = {cv::Range::all(), which.channels, which.rows,
                                             cv::Range::all()};
        const cv::Mat expected = x(part).clone();
        read_model.net.setInput(x);
        const cv::Mat y = read_model.net.forward();
        ASSERT_EQ(y.total(), expected.total());
        EXPECT_EQ(cv::norm(y.reshape(1, 1), expected.reshape(1, 1), cv::NORM_INF), 0);
    }
}
