// Which layers Vigil says run on the CPU, on libraries that stand in for CUDA's.
#include "detect/backend.hpp"
#include "host_only.hpp"

#include <gmock/gmock.h>

namespace vigil::test {
namespace {

const BackendChoice cuda = {cv::dnn::DNN_BACKEND_CUDA, cv::dnn::DNN_TARGET_CUDA, "cuda", "fp32"};
const std::vector<int> input_shape = {1, 2, 4, 8};

irmb::Model modelOf(const std::string& name, const std::string& type,
                    cv::dnn::LayerParams params = {}) {
    irmb::Model model;
    model.info.input_shape = input_shape;
    model.net.setInputsNames({"x"});
    model.net.addLayerToPrev(name, type, params);
    model.net.setPreferableBackend(cuda.backend);
    model.net.setPreferableTarget(cuda.target);
    return model;
}

TEST(Fallback, ListsLayersWithoutSupport) {
    irmb::test::HostOnly::registerOnce();
    irmb::Model model = modelOf("alone", "HostOnly");
    EXPECT_THAT(fallbackLayers(model, cuda), testing::ElementsAre("alone (HostOnly)"));
    EXPECT_THAT(fallbackLayers(model, {}), testing::IsEmpty());
}

TEST(Fallback, LeavesOutLayersOfTheDevice) {
    irmb::Model model = modelOf("same", "Identity");
    EXPECT_THAT(fallbackLayers(model, cuda), testing::IsEmpty());
}

/// A product of a map of four dimensions with a constant matrix: OpenCV's layer supports the
/// backend, but declines when it sees the shapes.
TEST(Fallback, ListsLayersThatDeclineTheirShapes) {
    cv::dnn::LayerParams params;
    params.set("is_matmul", true);
    params.set("bias_term", false);
    params.set("axis", 3);
    params.set("num_output", 3);
    params.blobs = {cv::Mat(3, 8, CV_32F, cv::Scalar(1))};
    irmb::Model model = modelOf("product", "InnerProduct", params);
    const auto layer = model.net.getLayer(model.net.getLayerId("product"));
    ASSERT_TRUE(layer->supportBackend(cv::dnn::DNN_BACKEND_CUDA));
    EXPECT_THAT(fallbackLayers(model, cuda), testing::ElementsAre("product (InnerProduct)"));
}

} // namespace
} // namespace vigil::test
