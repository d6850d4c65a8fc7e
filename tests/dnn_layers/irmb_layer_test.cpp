#include "layer/opencv_compat.hpp"
#include "onnx/file/io.hpp"
#include "onnx/irmb/custom_node.hpp"
#include "reference/irmb_reference.hpp"
#include "support/expect_words.hpp"
#include "support/random_irmb.hpp"

#include <irmb_dnn/layers.hpp>

#include <gtest/gtest.h>
#include <opencv2/core/utils/logger.hpp>
#include <opencv2/dnn.hpp>

#include <thread>

/// The layer inside an OpenCV network, in every engine there is.
namespace irmb::test {
namespace {

using onnx::DataType;
using onnx::OnnxModel;

/// A network x -> Relu -> iRMB -> y; the Relu makes the block's input an inner tensor.
OnnxModel networkOf(const IrmbParams& params, const IrmbWeights& weights,
                    const onnx::Shape& shape) {
    OnnxModel model;
    model.opsets[""] = 13;
    model.graph.inputs.push_back({"x", DataType::Float, true, shape});
    model.graph.outputs.push_back({"y", DataType::Float, true, {1, 1, 1, 1}}); // not read
    onnx::Node relu;
    relu.op = "Relu";
    relu.name = "relu";
    relu.inputs = {"x"};
    relu.outputs = {"r"};
    model.graph.nodes.push_back(relu);
    onnx::Facts facts;
    model.graph.nodes.push_back(onnx::makeIrmb(model, facts, "r", "y", params, weights));
    model.graph.nodes.back().name = "neck.3";
    return model;
}

cv::Mat relu(const cv::Mat& x) {
    return cv::max(x, 0);
}

cv::dnn::Net read(const OnnxModel& model, int engine) {
    registerLayers();
    const std::vector<uint8_t> bytes = onnx::serialize(model);
    const char* first = reinterpret_cast<const char*>(bytes.data());
#if CV_VERSION_MAJOR >= 5
    return cv::dnn::readNetFromONNX(first, bytes.size(), engine);
#else
    (void)engine;
    return cv::dnn::readNetFromONNX(first, bytes.size());
#endif
}

cv::Mat forward(cv::dnn::Net& net, const cv::Mat& x) {
    net.setInput(x);
    return net.forward().clone();
}

struct EngineCase {
    const char* name;
    int id;
};

void PrintTo(const EngineCase& engine, std::ostream* out) {
    *out << engine.name;
}

#if CV_VERSION_MAJOR >= 5
const EngineCase engines[] = {{"New", cv::dnn::ENGINE_NEW},
                              {"Auto", cv::dnn::ENGINE_AUTO},
                              {"Classic", cv::dnn::ENGINE_CLASSIC}};
#else
const EngineCase engines[] = {{"Classic", 0}};
#endif

class IrmbLayerIn : public testing::TestWithParam<EngineCase> {
protected:
    static void SetUpTestSuite() {
        cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
    }

    /// What an attempt to read and run the network says.
    std::string messageOf(const OnnxModel& model, const cv::Mat& x) const {
        try {
            cv::dnn::Net net = read(model, GetParam().id);
            forward(net, x);
        } catch (const cv::Exception& e) {
            return e.what();
        }
        return "";
    }
};

INSTANTIATE_TEST_SUITE_P(Engine, IrmbLayerIn, testing::ValuesIn(engines),
                         [](const auto& test) { return test.param.name; });

TEST_P(IrmbLayerIn, ComputesTheBlockWithAllParameters) {
    cv::RNG rng(11);
    for (int i = 0; i < 60; ++i) {
        const IrmbParams params = anyParams(rng);
        const IrmbWeights weights = randomWeights(params, rng);
        const cv::Mat x = randomMap({1 + i % 2, params.dim_in, 13, 17}, rng);
        const cv::Mat expected = irmbReference(params, weights, relu(x));
        cv::dnn::Net net =
            read(networkOf(params, weights, {x.size[0], params.dim_in, 13, 17}), GetParam().id);
        const cv::Mat y = forward(net, x);
        ASSERT_EQ(y.dims, 4);
        for (int d = 0; d < 4; ++d)
            ASSERT_EQ(y.size[d], expected.size[d]) << describe(params);
        ASSERT_LE(maxDifference(y, expected), tolerance(expected)) << describe(params);
    }
}

/// A block of 16 channels with some of everything.
struct Sample {
    Sample() {
        params.dim_in = params.dim_mid = params.dim_out = 16;
        params.qk_bias = true;
        params.act = Activation::Silu;
        cv::RNG rng(12);
        weights = randomWeights(params, rng);
    }
    IrmbParams params;
    IrmbWeights weights;
};

TEST_P(IrmbLayerIn, FollowsTheInputToOtherSizes) {
    const Sample block;
    cv::RNG rng(13);
    cv::dnn::Net net = read(networkOf(block.params, block.weights, {1, 16, 20, 20}), GetParam().id);
    for (const auto& size : {cv::Size(20, 20), cv::Size(9, 7), cv::Size(31, 18), cv::Size(20, 20)})
        for (const int batch : {1, 3}) {
            const cv::Mat x = randomMap({batch, 16, size.height, size.width}, rng);
            const cv::Mat expected = irmbReference(block.params, block.weights, relu(x));
            ASSERT_LE(maxDifference(forward(net, x), expected), tolerance(expected)) << size;
        }
}

TEST_P(IrmbLayerIn, RunsInFloat32OnTheHalfPrecisionTargetOfTheCpu) {
    const Sample block;
    cv::RNG rng(14);
    const cv::Mat x = randomMap({1, 16, 9, 9}, rng);
    const cv::Mat expected = irmbReference(block.params, block.weights, relu(x));
    cv::dnn::Net net = read(networkOf(block.params, block.weights, {1, 16, 9, 9}), GetParam().id);
    net.setPreferableBackend(cv::dnn::DNN_BACKEND_OPENCV);
    net.setPreferableTarget(cv::dnn::DNN_TARGET_CPU_FP16);
    EXPECT_LE(maxDifference(forward(net, x), expected), tolerance(expected));
}

TEST_P(IrmbLayerIn, TwoNetworksRunInTwoThreads) {
    const Sample block;
    cv::RNG rng(15);
    const cv::Mat x = randomMap({1, 16, 24, 24}, rng);
    const cv::Mat expected = irmbReference(block.params, block.weights, relu(x));
    double worst[2] = {};
    const auto work = [&](int number) {
        cv::dnn::Net net =
            read(networkOf(block.params, block.weights, {1, 16, 24, 24}), GetParam().id);
        for (int i = 0; i < 20; ++i)
            worst[number] = std::max(worst[number], maxDifference(forward(net, x), expected));
    };
    std::thread other(work, 1);
    work(0);
    other.join();
    EXPECT_LE(std::max(worst[0], worst[1]), tolerance(expected));
}

TEST_P(IrmbLayerIn, AttributesHaveDefaults) {
    Sample block;
    block.params.act = Activation::Relu;
    block.params.qk_bias = false;
    block.weights.qk_bias.release();
    OnnxModel model = networkOf(block.params, block.weights, {1, 16, 9, 9});
    model.graph.nodes.back().attributes.clear();
    cv::RNG rng(16);
    const cv::Mat x = randomMap({1, 16, 9, 9}, rng);
    cv::dnn::Net net = read(model, GetParam().id);
    const cv::Mat expected = irmbReference(block.params, block.weights, relu(x));
    EXPECT_LE(maxDifference(forward(net, x), expected), tolerance(expected));
}

TEST_P(IrmbLayerIn, RefusalsNameLayerAndCause) {
    const Sample block;
    const OnnxModel good = networkOf(block.params, block.weights, {1, 16, 9, 9});
    const cv::Mat x(std::vector<int>{1, 16, 9, 9}, CV_32F, cv::Scalar(1));
    ASSERT_EQ(messageOf(good, x), "");
    const auto expectRefusal = [&](const OnnxModel& model, const std::string& cause) {
        expectWords(messageOf(model, x), {"iRMB '", "neck.3", cause});
    };
    OnnxModel model = good;
    model.graph.nodes.back().attributes["act_layer"] = std::string("swosh");
    expectRefusal(model, "act_layer='swosh'");
    model = good;
    model.graph.nodes.back().attributes["dim_head"] = int64_t{5};
    expectRefusal(model, "dim_head=5");
    model = good;
    model.graph.nodes.back().attributes["windows"] = int64_t{7};
    expectRefusal(model, "windows=7");
    model = good;
    model.graph.nodes.back().attributes["dim_head"] = std::vector<int64_t>{8, 8};
    expectRefusal(model, "dim_head is a list");
    model = good;
    model.graph.nodes.back().inputs.pop_back();
    expectRefusal(model, "weights, expected");
    model = good;
    std::swap(model.graph.nodes.back().inputs[3], model.graph.nodes.back().inputs[5]);
    expectRefusal(model, "qk_weight has the shape");
}

TEST_P(IrmbLayerIn, RefusesOtherChannelsAndRanks) {
    const Sample block;
    const cv::Mat wide(std::vector<int>{1, 24, 9, 9}, CV_32F, cv::Scalar(1));
    expectWords(messageOf(networkOf(block.params, block.weights, {1, 24, 9, 9}), wide), {"iRMB '"});
    const cv::Mat flat(std::vector<int>{1, 16, 9}, CV_32F, cv::Scalar(1));
    expectWords(messageOf(networkOf(block.params, block.weights, {1, 16, 9}), flat), {"[1x16x9]"});
}

TEST(RegisterLayers, MayBeCalledOftenAndFromManyThreads) {
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([] {
            for (int j = 0; j < 10; ++j)
                registerLayers();
        });
    for (std::thread& thread : threads)
        thread.join();
    for (const char* type : {"iRMB", "irmb.iRMB"}) {
        cv::dnn::LayerParams params;
        EXPECT_TRUE(cv::dnn::LayerFactory::createLayerInstance(type, params)) << type;
    }
}

TEST(IrmbLayer, CountsOperations) {
    cv::dnn::LayerParams params;
    registerLayers();
    const auto layer = cv::dnn::LayerFactory::createLayerInstance("iRMB", params);
    const std::vector<MatShape> shapes = {MatShape{2, 16, 7, 7}};
    const auto flops = layer->getFLOPS(shapes, shapes);
    // 49 tokens: qk, v and proj 64 * 16, attention 49 * 32, depthwise 9 * 16 multiplications each.
    EXPECT_EQ(flops, int64_t{2} * 2 * 49 * (64 * 16 + 49 * 32 + 9 * 16));
}

} // namespace
} // namespace irmb::test
