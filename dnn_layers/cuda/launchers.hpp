#pragma once

#include "cuda/arguments.hpp"

#include <cuda_fp16.h>
#include <cuda_runtime.h>

/// One function a kernel: chooses the blocks and enqueues. T is float or __half.

namespace irmb::cuda {

/// Tokens of a window, the padding token included, that the fused kernel takes.
constexpr int fused_tokens = 64;

/// Shared memory that a block of windowAttention needs.
template <typename T>
int windowAttentionShared(const AttentionArgs<T>& args);

/// Normalisation, q, k, v and attention of windows of up to `fused_tokens` tokens.
template <typename T>
cudaError_t launchWindowAttention(const AttentionArgs<T>& args, int images, cudaStream_t stream);

/// Attention of windows of any size, from q, k and v of each pixel and of the padding token.
template <typename T>
cudaError_t launchTiledAttention(const AttentionArgs<T>& args, int images, cudaStream_t stream);

/// Mean and inverse standard deviation of groups of channels of each image, multiplied with
/// `scale`: the mean and scale that Normalisation wants.
template <typename T>
struct StatisticsArgs {
    const T* in; ///< NCHW
    int channels;
    int pixels;
    int groups;
    float eps;
    const float* scale; ///< [channels]
    float* mean;        ///< [images][channels], like the next
    float* image_scale;
};
template <typename T>
cudaError_t launchStatistics(const StatisticsArgs<T>& args, int images, cudaStream_t stream);

/// Where a projection goes: out = skip + linear(source).
template <typename T>
struct ProjectionArgs {
    Linear<T> linear;
    int pixels;  ///< of the result
    int outputs; ///< of linear.outputs, that are stored
    T* out;
    const T* skip; ///< laid out like `out`; null: none
    MapLayout layout;
};

/// Projection of a map, normalised. Pixels behind the last one of the map are zeros.
template <typename T>
struct TokenArgs {
    const T* in;
    MapLayout layout;
    int channels;
    int pixels;
    Normalisation norm;
};
template <typename T>
cudaError_t launchTokenProjection(const ProjectionArgs<T>& args, const TokenArgs<T>& tokens,
                                  int images, int processors, cudaStream_t stream);

/// Projection of silu(depthwise(in)), plus `in` if `residual`.
template <typename T>
struct LocalArgs {
    DepthwiseArgs<T> depthwise;
    bool residual;
};
template <typename T>
cudaError_t launchLocalProjection(const ProjectionArgs<T>& args, const LocalArgs<T>& local,
                                  int images, int processors, cudaStream_t stream);

/// Projection of gate * local, plus `residual` if there is one.
template <typename T>
struct GatedArgs {
    const T* local;     ///< [pixel][channel]
    const T* residual;  ///< [pixel][channel]; null: none
    const float* gates; ///< [images][channels]
    int channels;
    int pixels;
};
template <typename T>
cudaError_t launchGatedProjection(const ProjectionArgs<T>& args, const GatedArgs<T>& gated,
                                  int images, int processors, cudaStream_t stream);

/// out = silu(depthwise(in)), and its sums over tiles of pixels.
template <typename T>
struct LocalSumArgs {
    DepthwiseArgs<T> depthwise;
    T* out;      ///< [pixel][channel]
    float* sums; ///< [images][tiles][channels]
    int tiles;   ///< localSumTiles(pixels)
};
int localSumTiles(int pixels);
template <typename T>
cudaError_t launchLocalSum(const LocalSumArgs<T>& args, int images, cudaStream_t stream);

/// gates = sigmoid(expand(act(reduce(mean)))), from the sums over tiles.
struct GateArgs {
    const float* sums; ///< [images][tiles][channels]
    int tiles;
    int pixels;
    int channels;
    int reduced;
    const float* reduce_weights; ///< [reduced][channels]
    const float* reduce_bias;    ///< [reduced]
    const float* slope;          ///< [reduced]
    const float* expand_weights; ///< [reduced][channels]
    const float* expand_bias;    ///< [channels]
    Activation act;
    float* mean;   ///< [images][channels]
    float* hidden; ///< [images][reduced]
    float* gates;  ///< [images][channels]
};
cudaError_t launchGates(const GateArgs& args, int images, cudaStream_t stream);

/// The launch itself; also allows a block more shared memory than kernels get unasked.
template <typename... Params, typename... Args>
cudaError_t launchKernel(void (*kernel)(Params...), dim3 blocks, int threads, int shared_bytes,
                         cudaStream_t stream, const Args&... args) {
    constexpr int unasked = 48 * 1024;
    if (shared_bytes > unasked) {
        // The most there is: the attribute belongs to the device's function, not to this launch,
        // and another thread may launch the same kernel with another size.
        int device = 0;
        int most = 0;
        cudaError_t error = cudaGetDevice(&device);
        if (error == cudaSuccess)
            error = cudaDeviceGetAttribute(&most, cudaDevAttrMaxSharedMemoryPerBlockOptin, device);
        if (error == cudaSuccess)
            error = cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel),
                                         cudaFuncAttributeMaxDynamicSharedMemorySize, most);
        if (error != cudaSuccess)
            return error;
    }
    cudaLaunchConfig_t config = {};
    config.gridDim = blocks;
    config.blockDim = dim3(threads);
    config.dynamicSmemBytes = shared_bytes;
    config.stream = stream;
    return cudaLaunchKernelEx(&config, kernel, args...);
}

} // namespace irmb::cuda
