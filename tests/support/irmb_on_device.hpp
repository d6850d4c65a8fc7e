#pragma once

#include "cuda/host_weights.hpp"
#include "reference/irmb_reference.hpp"
#include "support/random_irmb.hpp"

#include <gtest/gtest.h>

#include <cuda_fp16.h>
#include <cuda_runtime.h>
#include <memory>

/// Runs blocks through the CUDA kernels, on a GPU or on its emulation, whichever the headers of
/// CUDA are, and compares them with the reference.

namespace irmb::test {

/// Whether there is a device at all.
bool hasDevice();

/// The i-th order of threads that the emulation knows; a GPU has its own.
void chooseThreadOrder(int i);

/// How many processors an emulated device has; a GPU has its own.
void chooseProcessors(int count);

/// The device as a test finds it.
void resetDevice();

inline void require(cudaError_t error) {
    if (error != cudaSuccess)
        CV_Error(cv::Error::GpuApiCallError, cudaGetErrorString(error));
}

struct Free {
    void operator()(void* memory) const { cudaFree(memory); }
};
template <typename T>
using DeviceMemory = std::unique_ptr<T, Free>;

/// Device memory full of NaN.
template <typename T>
DeviceMemory<T> deviceMemory(std::size_t elements) {
    void* memory = nullptr;
    const std::size_t bytes = std::max<std::size_t>(1, elements * sizeof(T));
    require(cudaMalloc(&memory, bytes));
    DeviceMemory<T> owner(static_cast<T*>(memory));
    require(cudaMemset(memory, 0xff, bytes));
    return owner;
}

inline void assign(float& to, float from) {
    to = from;
}
inline void assign(__half& to, float from) {
    to = __float2half_rn(from);
}
inline float valueOf(float x) {
    return x;
}
inline float valueOf(__half x) {
    return __half2float(x);
}

inline cv::Mat emptyResult(const IrmbParams& params, const cv::Mat& x) {
    const cv::Size size = outputSize(params, x.size[2], x.size[3]);
    return cv::Mat(std::vector<int>{x.size[0], params.dim_out, size.height, size.width}, CV_32F);
}

template <typename T>
cv::Mat run(const cuda::IrmbKernels<T>& kernels, const IrmbParams& params, const cv::Mat& x) {
    const cuda::MapShape shape = {x.size[0], x.size[2], x.size[3]};
    cv::Mat y = emptyResult(params, x);
    std::vector<T> host(std::max(x.total(), y.total()));
    for (std::size_t i = 0; i < x.total(); ++i)
        assign(host[i], x.ptr<float>()[i]);
    const auto device_x = deviceMemory<T>(x.total());
    const auto device_y = deviceMemory<T>(y.total());
    const auto scratch = deviceMemory<char>(kernels.scratchBytes(shape));
    require(cudaMemcpy(device_x.get(), host.data(), x.total() * sizeof(T), cudaMemcpyHostToDevice));
    kernels.launch(nullptr, device_x.get(), device_y.get(), scratch.get(), shape);
    require(cudaMemcpy(host.data(), device_y.get(), y.total() * sizeof(T), cudaMemcpyDeviceToHost));
    for (std::size_t i = 0; i < y.total(); ++i)
        y.ptr<float>()[i] = valueOf(host[i]);
    return y;
}

template <typename T>
cv::Mat run(const IrmbParams& params, const IrmbWeights& weights, const cv::Mat& x) {
    return run(cuda::IrmbKernels<T>(params, cuda::hostWeights(weights), "block"), params, x);
}

/// Largest difference, relative to the largest value that is expected.
inline double relativeError(const cv::Mat& y, const cv::Mat& expected) {
    const cv::Mat zero = cv::Mat::zeros(expected.dims, expected.size.p, CV_32F);
    const double error = maxDifference(y, expected);
    return std::isfinite(error) ? error / std::max(1e-3, maxDifference(expected, zero)) : error;
}

constexpr double float_tolerance = 1e-4;
constexpr double half_tolerance = 1e-2;

inline void expectAgreement(const IrmbParams& params, const IrmbWeights& weights,
                            const cv::Mat& x) {
    const cv::Mat expected = irmbReference(params, weights, x);
    EXPECT_LE(relativeError(run<float>(params, weights, x), expected), float_tolerance)
        << describe(params);
    EXPECT_LE(relativeError(run<__half>(params, weights, x), expected), half_tolerance)
        << describe(params);
}

inline void expectAgreement(const IrmbParams& params, const std::vector<int>& shape) {
    cv::RNG rng(7);
    const IrmbWeights weights = randomWeights(params, rng);
    expectAgreement(params, weights, randomMap(shape, rng));
}

/// Names of the kernels that a block launches.
inline std::vector<std::string> kernelsOf(const IrmbParams& params, const cuda::MapShape& shape) {
    cv::RNG rng(1);
    const IrmbWeights weights = randomWeights(params, rng);
    const cuda::IrmbKernels<__half> kernels(params, cuda::hostWeights(weights), "block");
    std::vector<std::string> names;
    for (const std::string& launch : kernels.launches(shape))
        names.push_back(launch.substr(0, launch.find(':')));
    return names;
}

using Names = std::vector<std::string>;

class IrmbCuda : public testing::Test {
protected:
    void SetUp() override {
        if (!hasDevice())
            GTEST_SKIP() << "there is no CUDA device";
        resetDevice();
    }
    void TearDown() override { resetDevice(); }
};

} // namespace irmb::test
