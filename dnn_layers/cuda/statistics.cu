#include "cuda/launchers.hpp"
#include "cuda/tile.cuh"

namespace irmb::cuda {
namespace {

constexpr int threads = 512;
constexpr int warps = threads / warp_size;

/// Sum over the threads of a block, in every thread. `shared` has a place for each warp.
__device__ float blockSum(float x, float* shared) {
    const int lane = threadIdx.x % warp_size;
    const float sum = warpSum(x);
    if (lane == 0)
        shared[threadIdx.x / warp_size] = sum;
    __syncthreads();
    const float total = warpSum(lane < warps ? shared[lane] : 0.f);
    __syncthreads();
    return total;
}

/// One block takes one group of channels (x) of one image (y).
template <typename T>
__global__ void __launch_bounds__(threads) statistics(StatisticsArgs<T> args) {
    float* shared = reinterpret_cast<float*>(sharedMemory());
    const int group_channels = args.channels / args.groups;
    const int first = blockIdx.y * args.channels + blockIdx.x * group_channels;
    const int count = group_channels * args.pixels;
    const T* values = args.in + static_cast<long long>(first) * args.pixels;

    float sum = 0.f;
    for (int i = threadIdx.x; i < count; i += threads)
        sum += toFloat(values[i]);
    const float mean = blockSum(sum, shared) / static_cast<float>(count);
    float squares = 0.f;
    for (int i = threadIdx.x; i < count; i += threads) {
        const float difference = toFloat(values[i]) - mean;
        squares += difference * difference;
    }
    const float variance = blockSum(squares, shared) / static_cast<float>(count);
    const float inverse = 1.f / sqrtf(variance + args.eps);
    for (int c = threadIdx.x; c < group_channels; c += threads) {
        args.mean[first + c] = mean;
        args.image_scale[first + c] = inverse * args.scale[blockIdx.x * group_channels + c];
    }
}

} // namespace

template <typename T>
cudaError_t launchStatistics(const StatisticsArgs<T>& args, int images, cudaStream_t stream) {
    return launchKernel(statistics<T>, dim3(args.groups, images), threads,
                        warps * static_cast<int>(sizeof(float)), stream, args);
}

template cudaError_t launchStatistics(const StatisticsArgs<float>&, int, cudaStream_t);
template cudaError_t launchStatistics(const StatisticsArgs<__half>&, int, cudaStream_t);

} // namespace irmb::cuda
