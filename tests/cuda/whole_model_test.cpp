// Whole detectors in OpenCV's CUDA backend, on libraries that stand in for CUDA's: the real
// kernels are launched, and compute nothing.
#include "cuda_stand_in/stand_in.hpp"
#include "detect/load_model.hpp"

#include <gmock/gmock.h>

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

class WholeModel : public testing::TestWithParam<Case> {
protected:
    LoadedModel load(bool plain_tensors = false) const {
        ModelOptions options;
        options.plain_tensors = plain_tensors;
        options.path = std::string(VIGIL_TEST_DIR "/../golden/") + GetParam().file + "/model.onnx";
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

INSTANTIATE_TEST_SUITE_P(
    Detectors, WholeModel,
    testing::Values(Case{"yolo_raw", "fp32"}, Case{"yolo_raw", "fp16"},
                    Case{"yolo_raw", "fp32", true}, Case{"yolo_end2end_slim", "fp16", true},
                    Case{"yolo_c2f_end2end_ts2", "fp32"}, Case{"yolo_c2f_end2end_ts2", "fp16"},
                    Case{"yolo_end2end_slim", "fp32"}, Case{"yolo_end2end_slim", "fp16"},
                    Case{"yolo_without_irmb", "fp32"}, Case{"yolo_without_irmb", "fp16"}));

} // namespace
} // namespace vigil::test
