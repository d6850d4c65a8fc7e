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
    LoadedModel load(bool float_input = false) const {
        ModelOptions options;
        options.float_input = float_input;
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
    for (const bool float_input : {true, false}) {
        LoadedModel loaded = load(float_input);
        EXPECT_EQ(loaded.model.byte_input, !float_input && CV_VERSION_MAJOR >= 5);
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
