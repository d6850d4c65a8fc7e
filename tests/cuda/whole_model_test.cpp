// Whole detectors in OpenCV's CUDA backend, on libraries that stand in for CUDA's. The kernels,
// OpenCV's own among them, are the PTX that nvcc makes of them.
#include "cuda_stand_in/stand_in.hpp"
#include "detect/load_model.hpp"
#include "ptx/on_stand_in.hpp"
#include "support/npy.hpp"
#include "support/street_model.hpp"

#include <irmb_dnn/detection.hpp>

#include <gmock/gmock.h>
#include <opencv2/imgcodecs.hpp>

#include <algorithm>
#include <fstream>
#include <set>

namespace vigil::test {
namespace {

struct Case {
    const char* file;
    const char* precision;
    bool no_fuse = false;
};

void PrintTo(const Case& which, std::ostream* out) {
    *out << which.file << ' ' << which.precision << (which.no_fuse ? " not fused" : "");
}

/// Kernels that were launched and could not be run.
std::set<std::string> missing_kernels;

bool runOrMiss(const stand_in::Launch& launch) {
    const bool done = irmb::test::runAsPtx(launch);
    if (!done)
        missing_kernels.insert(launch.kernel);
    return done;
}

class WholeModel : public testing::TestWithParam<Case> {
protected:
    void TearDown() override { stand_in::runKernels({}); }

    static std::string folder() {
        return std::string(VIGIL_TEST_DIR "/../golden/") + GetParam().file;
    }

    LoadedModel load(bool plain_tensors = false) const {
        ModelOptions options;
        options.plain_tensors = plain_tensors;
        options.path = folder() + "/model.onnx";
        options.backend = "cuda";
        options.precision = GetParam().precision;
        options.no_fuse = GetParam().no_fuse;
        return loadModel(options);
    }
};

TEST_P(WholeModel, HasNoLayerOnTheCpu) {
    LoadedModel loaded = load();
    EXPECT_THAT(fallbackLayers(loaded.model, loaded.backend), testing::IsEmpty());
}

/// OpenCV's batched products upload three lists of pointers in every pass.
int uploadsOfProducts(cv::dnn::Net& net) {
    int uploads = 0;
    for (const std::string& name : net.getLayerNames())
        if (net.getLayer(net.getLayerId(name))->type == "MatMul")
            uploads += 3;
    return uploads;
}

TEST_P(WholeModel, CopiesItsInputAndItsOutputAlone) {
    int anchors = 0;
    for (const bool plain_tensors : {true, false}) {
        LoadedModel loaded = load(plain_tensors);
        EXPECT_EQ(loaded.model.byte_input, !plain_tensors && CV_VERSION_MAJOR >= 5);
        if (plain_tensors)
            anchors = loaded.model.info.output_shape.at(2);
        EXPECT_EQ(loaded.model.candidates, plain_tensors ? 0 : anchors); // of so few all
        EXPECT_EQ(loaded.model.attention_layers, GetParam().no_fuse ? 0 : 1);
        const cv::Mat x = irmb::blankInput(loaded.model);
        const auto pass = [&] {
            loaded.model.net.setInput(x);
            return irmb::forward(loaded.model);
        };
        const std::size_t outputs = pass().size();
        stand_in::clearLog();
        pass();
        const stand_in::Log log = stand_in::log();
        const int uploads = GetParam().no_fuse ? uploadsOfProducts(loaded.model.net) : 0;
        EXPECT_EQ(log.copiesOf(cudaMemcpyHostToDevice), 1 + uploads);
        EXPECT_EQ(log.copies.at(0).bytes, x.total() * x.elemSize());
        EXPECT_EQ(log.copiesOf(cudaMemcpyDeviceToHost), static_cast<int>(outputs));
        if (!plain_tensors) {
            EXPECT_EQ(log.copies.back().bytes, sizeof(float) * 2 * anchors * 6);
        }
        EXPECT_EQ(log.allocations.size(), static_cast<std::size_t>(uploads));
    }
}

/// Largest difference in rows `first` to `last` of heads [1, rows, anchors].
double difference(const cv::Mat& head, const cv::Mat& expected, int first, int last) {
    const auto rowsOf = [&](const cv::Mat& tensor) {
        const cv::Mat all(tensor.size[1], tensor.size[2], CV_32F, tensor.data);
        return cv::Mat(all.rowRange(first, last));
    };
    return cv::norm(rowsOf(head), rowsOf(expected), cv::NORM_INF);
}

TEST_P(WholeModel, AgreesWithPyTorch) {
    stand_in::runKernels(runOrMiss);
    missing_kernels.clear();
    LoadedModel loaded = load(true);
    const std::vector<int>& shape = loaded.model.info.input_shape;
    loaded.model.net.setInput(vigil_test::readNpy(
        cv::format(VIGIL_TEST_DIR "/../golden/inputs/1x3x%dx%d_image.npy", shape[2], shape[3])));
    const cv::Mat head = irmb::forward(loaded.model).at(0);
    if (!VIGIL_HAS_OPENCV_PTX)
        GTEST_SKIP() << "the sources of OpenCV's kernels were not kept";
    ASSERT_TRUE(missing_kernels.empty()) << "no PTX of " << *missing_kernels.begin();
    const std::string cut = folder() + "/expected_head.npy";
    const cv::Mat expected =
        vigil_test::readNpy(std::ifstream(cut) ? cut : folder() + "/expected.npy");
    ASSERT_EQ(head.total(), expected.total());
    const bool half = loaded.backend.target == cv::dnn::DNN_TARGET_CUDA_FP16;
    EXPECT_LE(difference(head, expected, 0, 4), half ? 0.5 : 0.05) << "pixels";
    EXPECT_LE(difference(head, expected, 4, head.size[1]), half ? 1e-2 : 1e-4) << "scores";
}

/// The model that comes with Vigil, on its picture, from the frame's pixels to the objects.
class ShippedModel : public testing::TestWithParam<const char*> {
protected:
    ~ShippedModel() override { stand_in::runKernels({}); }

    static std::vector<irmb::Detection> detect(const std::string& backend) {
        ModelOptions options;
        options.path = vigil_test::street_model;
        options.backend = backend;
        options.precision = backend == "cuda" ? GetParam() : "fp32";
        LoadedModel loaded = loadModel(options);
        cv::Mat blob;
        const auto placement = irmb::makeInput(
            loaded.model, {cv::imread(vigil_test::model_folder + "street.jpg")}, blob);
        loaded.model.net.setInput(blob);
        irmb::DecodeOptions decoding;
        decoding.confidence = 0.05f; // many objects
        return irmb::decode(irmb::forward(loaded.model).at(0), loaded.model.info, placement[0],
                            decoding);
    }
};

double cornerDifference(const cv::Rect2f& a, const cv::Rect2f& b) {
    return cv::norm(cv::Vec4f(a.x, a.y, a.br().x, a.br().y),
                    cv::Vec4f(b.x, b.y, b.br().x, b.br().y), cv::NORM_INF);
}

TEST_P(ShippedModel, FindsOnTheDeviceWhatTheCpuFinds) {
    const std::vector<irmb::Detection> expected = detect("cpu");
    stand_in::runKernels(runOrMiss);
    missing_kernels.clear();
    const std::vector<irmb::Detection> found = detect("cuda");
    if (!VIGIL_HAS_OPENCV_PTX)
        GTEST_SKIP() << "the sources of OpenCV's kernels were not kept";
    ASSERT_TRUE(missing_kernels.empty()) << "no PTX of " << *missing_kernels.begin();
    ASSERT_GT(expected.size(), 5u);
    const bool half = std::string(GetParam()) == "fp16";
    if (!half) {
        EXPECT_EQ(found.size(), expected.size());
    }
    for (const irmb::Detection& object : expected) {
        const auto is_near = [&](const irmb::Detection& other) {
            return other.class_id == object.class_id &&
                   std::abs(other.score - object.score) <= (half ? 1e-2 : 1e-4) &&
                   cornerDifference(other.box, object.box) <= (half ? 0.5 : 0.05);
        };
        EXPECT_TRUE(std::any_of(found.begin(), found.end(), is_near))
            << object.score << ' ' << object.box;
    }
}

INSTANTIATE_TEST_SUITE_P(, ShippedModel, testing::Values("fp32", "fp16"),
                         [](const auto& test) { return std::string(test.param); });

INSTANTIATE_TEST_SUITE_P(
    Detectors, WholeModel,
    testing::Values(Case{"yolo_raw", "fp32"}, Case{"yolo_raw", "fp16"},
                    Case{"yolo_raw", "fp32", true}, Case{"yolo_end2end_slim", "fp16", true},
                    Case{"yolo_c2f_end2end_ts2", "fp32"}, Case{"yolo_c2f_end2end_ts2", "fp16"},
                    Case{"yolo_end2end_slim", "fp32"}, Case{"yolo_end2end_slim", "fp16"},
                    Case{"yolo_without_irmb", "fp32"}, Case{"yolo_without_irmb", "fp16"}));

} // namespace
} // namespace vigil::test
