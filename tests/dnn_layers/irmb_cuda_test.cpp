#include "cuda/host_weights.hpp"
#include "reference/irmb_reference.hpp"
#include "support/map_size.hpp"
#include "support/random_irmb.hpp"

#include <gtest/gtest.h>

#include <cuda_fp16.h>
#include <cuda_runtime.h>
#include <memory>

namespace irmb::test {
namespace {

using cuda::IrmbKernels;
using cuda::MapShape;
using emulation::Order;

struct Free {
    void operator()(void* memory) const { cudaFree(memory); }
};
template <typename T>
std::unique_ptr<T, Free> deviceMemory(std::size_t elements) {
    void* memory = nullptr;
    cudaMalloc(&memory, elements * sizeof(T));
    return std::unique_ptr<T, Free>(static_cast<T*>(memory));
}

void assign(float& to, float from) {
    to = from;
}
void assign(__half& to, float from) {
    to = __float2half_rn(from);
}
float valueOf(float x) {
    return x;
}
float valueOf(__half x) {
    return __half2float(x);
}

cv::Mat emptyResult(const IrmbParams& params, const cv::Mat& x) {
    const cv::Size size = outputSize(params, x.size[2], x.size[3]);
    return cv::Mat(std::vector<int>{x.size[0], params.dim_out, size.height, size.width}, CV_32F);
}

template <typename T>
cv::Mat run(const IrmbParams& params, const IrmbWeights& weights, const cv::Mat& x) {
    const IrmbKernels<T> kernels(params, cuda::hostWeights(weights), "block");
    const MapShape shape = {x.size[0], x.size[2], x.size[3]};
    cv::Mat y = emptyResult(params, x);
    const auto device_x = deviceMemory<T>(x.total());
    const auto device_y = deviceMemory<T>(y.total());
    const auto scratch = deviceMemory<char>(kernels.scratchBytes(shape));
    for (std::size_t i = 0; i < x.total(); ++i)
        assign(device_x.get()[i], x.ptr<float>()[i]);
    kernels.launch(nullptr, device_x.get(), device_y.get(), scratch.get(), shape);
    for (std::size_t i = 0; i < y.total(); ++i)
        y.ptr<float>()[i] = valueOf(device_y.get()[i]);
    return y;
}

/// Largest difference, relative to the largest value that is expected.
double relativeError(const cv::Mat& y, const cv::Mat& expected) {
    const cv::Mat zero = cv::Mat::zeros(expected.dims, expected.size.p, CV_32F);
    const double error = maxDifference(y, expected);
    return std::isfinite(error) ? error / std::max(1e-3, maxDifference(expected, zero)) : error;
}

constexpr double float_tolerance = 1e-4;
constexpr double half_tolerance = 1e-2;

void expectAgreement(const IrmbParams& params, const IrmbWeights& weights, const cv::Mat& x) {
    const cv::Mat expected = irmbReference(params, weights, x);
    EXPECT_LE(relativeError(run<float>(params, weights, x), expected), float_tolerance)
        << describe(params);
    EXPECT_LE(relativeError(run<__half>(params, weights, x), expected), half_tolerance)
        << describe(params);
}

class IrmbCuda : public testing::Test {
protected:
    IrmbCuda() { emulation::device() = {}; }
    ~IrmbCuda() override {
        emulation::device() = {};
        emulation::setOrder(Order::Forward);
    }
};

class IrmbCudaGrid : public IrmbCuda, public testing::WithParamInterface<MapSize> {};

TEST_P(IrmbCudaGrid, AgreesWithReference) {
    const auto [height, width] = GetParam();
    cv::RNG rng(1000 * height + width);
    for (int i = 0; i < 16; ++i) {
        const IrmbParams params = anyParams(rng);
        if (!fits(params, height, width))
            continue;
        emulation::setOrder(static_cast<Order>(i % 3));
        const IrmbWeights weights = randomWeights(params, rng);
        const cv::Mat x = randomMap({1 + i % 3, params.dim_in, height, width}, rng) * 2 + 0.3;
        expectAgreement(params, weights, x);
    }
}

INSTANTIATE_TEST_SUITE_P(Sizes, IrmbCudaGrid,
                         testing::Values(MapSize{1, 1}, MapSize{6, 5}, MapSize{7, 7},
                                         MapSize{1, 19}, MapSize{13, 17}, MapSize{20, 20}),
                         nameOf);

void expectAgreement(const IrmbParams& params, const std::vector<int>& shape) {
    cv::RNG rng(7);
    const IrmbWeights weights = randomWeights(params, rng);
    expectAgreement(params, weights, randomMap(shape, rng));
}

std::vector<std::string> kernelsOf(const IrmbParams& params, const MapShape& shape) {
    cv::RNG rng(1);
    const IrmbWeights weights = randomWeights(params, rng);
    const IrmbKernels<__half> kernels(params, cuda::hostWeights(weights), "block");
    std::vector<std::string> names;
    for (const std::string& launch : kernels.launches(shape))
        names.push_back(launch.substr(0, launch.find(':')));
    return names;
}

using Names = std::vector<std::string>;

TEST_F(IrmbCuda, HeadSizesOfYolov10n) {
    emulation::device().processors = 132;
    expectAgreement(defaultParams(64), {1, 64, 80, 80});
    expectAgreement(defaultParams(128), {1, 128, 40, 40});
    expectAgreement(defaultParams(256), {1, 256, 20, 20});
}

TEST_F(IrmbCuda, DefaultBlockTakesTwoLaunches) {
    const Names fused = {"windowAttention", "projection"};
    EXPECT_EQ(kernelsOf(defaultParams(64), {1, 80, 80}), fused);
    EXPECT_EQ(kernelsOf(defaultParams(256), {1, 20, 20}), fused);

    IrmbParams emo = defaultParams(48);
    emo.norm = Norm::Layer;
    emo.act = Activation::Gelu;
    emo.dim_head = 16;
    emo.attn_pre = true;
    EXPECT_EQ(kernelsOf(emo, {1, 28, 28}), (Names{"windowAttention", "projection", "projection"}));
}

TEST_F(IrmbCuda, RareParametersTakeMoreLaunches) {
    IrmbParams params = defaultParams(16);
    params.norm = Norm::Instance;
    params.se_channels = 4;
    params.window_size = 0;
    EXPECT_EQ(kernelsOf(params, {1, 20, 20}), (Names{"statistics", "projection", "tiledAttention",
                                                     "localSum", "gates", "projection"}));
    params.part = Part::Attention;
    params.se_channels = 0;
    EXPECT_EQ(kernelsOf(params, {1, 5, 5}), (Names{"statistics", "windowAttention"}));
}

TEST_F(IrmbCuda, WidthsOfHeads) {
    for (const int dim_head : {16, 32, 64}) {
        IrmbParams params = defaultParams(64);
        params.dim_head = dim_head;
        params.dim_mid = 128;
        params.norm = Norm::Layer;
        expectAgreement(params, {1, 64, 10, 9});
        params.window_size = 0;
        expectAgreement(params, {1, 64, 10, 9});
    }
}

TEST_F(IrmbCuda, HeadWiderThanAChunkOfTheGeneralKernel) {
    IrmbParams params = defaultParams(96);
    params.dim_head = 96;
    params.dim_mid = 160;
    params.window_size = 9;
    params.qk_bias = true;
    expectAgreement(params, {2, 96, 9, 11});
}

TEST_F(IrmbCuda, LittleSharedMemoryTakesTheGeneralKernel) {
    const IrmbParams params = defaultParams(64);
    emulation::device().shared_bytes = 8 * 1024;
    EXPECT_EQ(kernelsOf(params, {1, 10, 9}), (Names{"projection", "tiledAttention", "projection"}));
    emulation::device().shared_bytes = 48 * 1024;
    EXPECT_EQ(kernelsOf(params, {1, 10, 9}), (Names{"windowAttention", "projection"}));
}

TEST_F(IrmbCuda, WholeMapAsOneWindowOfManyTokens) {
    IrmbParams params = defaultParams(16);
    params.window_size = 0;
    params.v_group = true;
    expectAgreement(params, {1, 16, 23, 31});
}

TEST_F(IrmbCuda, WindowLargerThanMapIsMostlyPadding) {
    IrmbParams params = defaultParams(16);
    params.window_size = 30;
    params.qk_bias = params.v_bias = true;
    expectAgreement(params, {1, 16, 4, 6});
    expectAgreement(params, {1, 16, 9, 11});
}

TEST_F(IrmbCuda, LargeLogitsDoNotOverflow) {
    const IrmbParams params = defaultParams(8);
    cv::RNG rng(3);
    IrmbWeights weights = randomWeights(params, rng);
    weights.qk_weight *= 20.f;
    const cv::Mat x = randomMap({1, 8, 9, 9}, rng);
    const cv::Mat expected = irmbReference(params, weights, x);
    EXPECT_LE(relativeError(run<float>(params, weights, x), expected), 10 * float_tolerance);
    EXPECT_TRUE(std::isfinite(relativeError(run<__half>(params, weights, x), expected)));
}

TEST_F(IrmbCuda, StatisticsOfAMapFarFromZero) {
    for (const Norm norm : {Norm::Layer, Norm::Instance, Norm::Group}) {
        IrmbParams params = defaultParams(16);
        params.norm = norm;
        params.norm_groups = 2;
        cv::RNG rng(4);
        const IrmbWeights weights = randomWeights(params, rng);
        const cv::Mat x = randomMap({1, 16, 21, 23}, rng) + 100.0;
        const cv::Mat expected = irmbReference(params, weights, x);
        EXPECT_LE(relativeError(run<float>(params, weights, x), expected), float_tolerance)
            << describe(params);
    }
}

TEST_F(IrmbCuda, OrderOfThreadsDoesNotChangeTheResult) {
    cv::RNG rng(5);
    for (int i = 0; i < 10; ++i) {
        const IrmbParams params = anyParams(rng);
        if (!fits(params, 9, 12))
            continue;
        const IrmbWeights weights = randomWeights(params, rng);
        const cv::Mat x = randomMap({2, params.dim_in, 9, 12}, rng);
        emulation::setOrder(Order::Forward);
        const cv::Mat y = run<__half>(params, weights, x);
        for (const Order order : {Order::Backward, Order::Shuffled}) {
            emulation::setOrder(order);
            EXPECT_EQ(maxDifference(run<__half>(params, weights, x), y), 0.0) << describe(params);
        }
    }
}

TEST_F(IrmbCuda, FailedLaunchNamesLayerAndKernel) {
    const IrmbParams params = defaultParams(16);
    cv::RNG rng(1);
    const IrmbWeights weights = randomWeights(params, rng);
    const cv::Mat x = randomMap({1, 16, 7, 7}, rng);
    emulation::device().failing_launch = 1;
    try {
        run<float>(params, weights, x);
        FAIL() << "no error";
    } catch (const cuda::Error& error) {
        EXPECT_STREQ(error.what(),
                     "iRMB 'block': CUDA kernel projection (depthwise, residuals and projection) "
                     "failed: invalid configuration argument");
    }
}

TEST_F(IrmbCuda, RefusesMapsThatItCannotIndex) {
    IrmbParams params = defaultParams(16);
    params.has_skip = false;
    params.dw_ks = 5;
    params.dilation = 3;
    cv::RNG rng(1);
    const IrmbWeights weights = randomWeights(params, rng);
    const IrmbKernels<float> kernels(params, cuda::hostWeights(weights), "block");
    EXPECT_THROW(kernels.scratchBytes({1, 40000, 40000}), cuda::Error);
    EXPECT_THROW(kernels.scratchBytes({65536, 20, 20}), cuda::Error);
    EXPECT_THROW(kernels.scratchBytes({1, 4, 20}), cuda::Error);
    EXPECT_THROW(kernels.scratchBytes({0, 20, 20}), cuda::Error);
    EXPECT_GT(kernels.scratchBytes({1, 20, 20}), 0u);
}

TEST_F(IrmbCuda, KeepsNoReferenceToTheWeights) {
    const IrmbParams params = defaultParams(8);
    cv::RNG rng(8);
    IrmbWeights weights = randomWeights(params, rng);
    const cv::Mat x = randomMap({1, 8, 7, 7}, rng);
    const IrmbKernels<float> kernels(params, cuda::hostWeights(weights), "block");
    const auto launch = [&] {
        cv::Mat y = emptyResult(params, x);
        const auto scratch = deviceMemory<char>(kernels.scratchBytes({1, 7, 7}));
        kernels.launch(nullptr, x.ptr<float>(), y.ptr<float>(), scratch.get(), {1, 7, 7});
        return y;
    };
    const cv::Mat before = launch();
    weights.norm_scale.setTo(0);
    weights.proj_weight.setTo(0);
    EXPECT_EQ(maxDifference(launch(), before), 0.0);
}

} // namespace
} // namespace irmb::test
