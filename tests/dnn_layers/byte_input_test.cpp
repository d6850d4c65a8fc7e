#include "layer/pixel_layer.hpp"
#include "onnx/file/io.hpp"
#include "onnx/opencv/take_bytes.hpp"
#include "support/graph_builder.hpp"
#include "support/random_irmb.hpp"

#include <irmb_dnn/detection.hpp>
#include <irmb_dnn/layers.hpp>

#include <gtest/gtest.h>

/// Networks that take 8-bit pixels, on the CPU.
namespace irmb::test {
namespace {

const cv::Size input_size = {12, 10};

/// A convolution and a sum of its input: two readers of the input.
onnx::OnnxModel smallNetwork(int batch) {
    onnx::OnnxModel model =
        makeModel(makeValue("image", {batch, 3, 10, 12}), makeValue("out", {batch, 3, 10, 12}));
    model.graph.initializers["w"] =
        makeFloats({3, 3, 1, 1}, {0.5f, -1, 0.25f, 2, 1, -0.5f, 0.125f, 3, -2});
    model.graph.nodes = {
        makeNode("Conv", {"image", "w"}, {"mixed"}, {{"kernel_shape", std::vector<int64_t>{1, 1}}}),
        makeNode("Add", {"mixed", "image"}, {"out"})};
    return model;
}

std::vector<cv::Mat> pictures(int count) {
    cv::RNG rng(3);
    std::vector<cv::Mat> result;
    for (int i = 0; i < count; ++i) {
        cv::Mat picture(31, 20 + 17 * i, CV_8UC3);
        rng.fill(picture, cv::RNG::UNIFORM, 0, 256);
        result.push_back(picture);
    }
    return result;
}

cv::dnn::Net read(const onnx::OnnxModel& model) {
    registerLayers();
    const std::vector<uint8_t> bytes = onnx::serialize(model);
    const char* first = reinterpret_cast<const char*>(bytes.data());
#if CV_VERSION_MAJOR >= 5
    return cv::dnn::readNetFromONNX(first, bytes.size(), cv::dnn::ENGINE_CLASSIC);
#else
    return cv::dnn::readNetFromONNX(first, bytes.size());
#endif
}

TEST(ByteInput, IsTheLetterboxedPicture) {
    Model model;
    model.byte_input = true;
    model.info.input_size = input_size;
    const auto images = pictures(2);
    cv::Mat bytes;
    const auto boxes = makeInput(model, images, bytes);
    ASSERT_EQ(boxes.size(), 2u);
    EXPECT_EQ(bytes.type(), CV_8U);
    EXPECT_EQ(std::vector<int>(bytes.size.p, bytes.size.p + 4), (std::vector<int>{2, 10, 12, 3}));
    for (int i = 0; i < 2; ++i) {
        cv::Mat padded;
        applyLetterbox(images[static_cast<std::size_t>(i)], boxes[static_cast<std::size_t>(i)],
                       padded);
        const cv::Mat there(input_size, CV_8UC3, bytes.ptr(i));
        EXPECT_EQ(cv::norm(padded, there, cv::NORM_INF), 0);
    }
    EXPECT_THROW(makeInput(model, {}, bytes), cv::Exception);
}

TEST(ByteInput, IsFloatForOtherModels) {
    Model model;
    model.info.input_size = input_size;
    cv::Mat blob;
    cv::Mat expected;
    makeInput(model, pictures(2), blob);
    makeBlob(pictures(2), input_size, expected);
    EXPECT_EQ(maxDifference(blob, expected), 0);
}

TEST(ByteInput, BlankInputHasItsShape) {
    Model model;
    model.info.input_shape = {2, 3, 10, 12};
    EXPECT_EQ(blankInput(model).type(), CV_32F);
    EXPECT_EQ(blankInput(model).size[1], 3);
    model.byte_input = true;
    EXPECT_EQ(blankInput(model).type(), CV_8U);
    EXPECT_EQ(blankInput(model).size[3], 3);
}

TEST(ByteInput, NetworkComputesTheSame) {
#if !IRMB_LAYER_HAS_TYPES
    GTEST_SKIP() << "OpenCV 4.x makes float of every input";
#endif
    for (const int batch : {1, 2}) {
        onnx::OnnxModel model = smallNetwork(batch);
        cv::dnn::Net of_floats = read(model);
        ASSERT_TRUE(onnx::takeBytes(model));
        cv::dnn::Net of_bytes = read(model);
        Model takes_bytes;
        takes_bytes.byte_input = true;
        takes_bytes.info.input_size = input_size;
        cv::Mat bytes;
        cv::Mat floats;
        makeInput(takes_bytes, pictures(batch), bytes);
        makeBlob(pictures(batch), input_size, floats);
        of_bytes.setInput(bytes, "image");
        of_floats.setInput(floats, "image");
        const cv::Mat expected = of_floats.forward();
        EXPECT_LE(maxDifference(of_bytes.forward(), expected), tolerance(expected));
    }
}

TEST(ByteInput, LeavesOtherInputs) {
    for (const onnx::Shape& shape : {onnx::Shape{1, 4, 10, 12}, onnx::Shape{1, 3, 12}}) {
        onnx::OnnxModel model = makeModel(makeValue("image", shape), makeValue("out", shape));
        model.graph.nodes = {makeNode("Relu", {"image"}, {"out"})};
        EXPECT_FALSE(onnx::takeBytes(model));
        EXPECT_EQ(model.graph.nodes.size(), 1u);
    }
}

} // namespace
} // namespace irmb::test
