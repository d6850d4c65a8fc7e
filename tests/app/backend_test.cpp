#include "detect/backend.hpp"

#include <gmock/gmock.h>
#include <opencv2/core.hpp>

namespace vigil::test {
namespace {

using ::testing::HasSubstr;

std::string errorOf(const std::string& backend, const std::string& precision) {
    try {
        chooseBackend(backend, precision);
    } catch (const cv::Exception& error) {
        return error.err;
    }
    return "no error";
}

TEST(Backend, CpuComputesInFp32) {
    for (const char* precision : {"auto", "fp32"}) {
        const BackendChoice choice = chooseBackend("cpu", precision);
        EXPECT_EQ(choice.backend, cv::dnn::DNN_BACKEND_OPENCV);
        EXPECT_EQ(choice.target, cv::dnn::DNN_TARGET_CPU);
        EXPECT_EQ(choice.name, "cpu");
        EXPECT_EQ(choice.precision, "fp32");
    }
    EXPECT_EQ(chooseBackend("cpu", "bf16").precision, "bf16");
    EXPECT_THAT(errorOf("cpu", "fp16"), HasSubstr("fp16"));
}

TEST(Backend, RefusesUnknownNames) {
    EXPECT_THAT(errorOf("tpu", "auto"), HasSubstr("tpu"));
    EXPECT_THAT(errorOf("auto", "int8"), HasSubstr("int8"));
}

TEST(Backend, CudaFollowsTheProbe) {
    const CudaProbe probe = probeCuda();
    EXPECT_EQ(probe.usable, !probe.devices.empty());
    EXPECT_EQ(probe.usable, probe.reason.empty());
    EXPECT_EQ(chooseBackend("auto").name, probe.usable ? "cuda" : "cpu");
    const bool built = probe.reason.find("was built without CUDA") == std::string::npos;
    EXPECT_EQ(chooseBackend("auto").remark, built ? probe.reason : "");
    EXPECT_EQ(chooseBackend("cpu").remark, "");
    if (probe.usable)
        EXPECT_EQ(chooseBackend("cuda", "fp16").target, cv::dnn::DNN_TARGET_CUDA_FP16);
    else
        EXPECT_THAT(errorOf("cuda", "auto"), HasSubstr(probe.reason));
}

TEST(Backend, CudaNeedsTheClassicEngine) {
    const BackendChoice cuda = {cv::dnn::DNN_BACKEND_CUDA, cv::dnn::DNN_TARGET_CUDA, "cuda",
                                "fp32"};
    EXPECT_EQ(chooseEngine(cuda, irmb::Engine::Auto), irmb::Engine::Classic);
    EXPECT_THROW(chooseEngine(cuda, irmb::Engine::New), cv::Exception);
    EXPECT_EQ(chooseEngine({}, irmb::Engine::New), irmb::Engine::New);
}

} // namespace
} // namespace vigil::test
