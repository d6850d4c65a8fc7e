#include "cuda/depthwise.cuh"
#include "cuda/launchers.hpp"
#include "cuda/tile.cuh"

namespace irmb::cuda {
namespace {

constexpr int threads = 256;
constexpr int warps = threads / warp_size;
constexpr int tile_pixels = 64;
constexpr int block_channels = 2 * warp_size;

/// A block takes tile_pixels pixels (x) and block_channels channels (y) of an image (z); a lane two
/// channels, a warp every eighth pixel. The sums are added in a fixed order.
template <typename T, int Side>
__global__ void __launch_bounds__(threads) localSum(LocalSumArgs<T> args) {
    const DepthwiseArgs<T>& d = args.depthwise;
    float2* sums = reinterpret_cast<float2*>(sharedMemory());
    const int lane = threadIdx.x % warp_size;
    const int warp = threadIdx.x / warp_size;
    const int c = blockIdx.y * block_channels + 2 * lane;
    const bool exists = c < d.channels;
    const int pixels = d.out_height * d.out_width;
    const int end = min(pixels, (static_cast<int>(blockIdx.x) + 1) * tile_pixels);
    const long long image = blockIdx.z;

    float2 sum = make_float2(0.f, 0.f);
    if (exists) {
        const Taps<Side> taps(d, c);
        const T* from = d.in + image * d.height * d.width * d.channels + c;
        T* to = args.out + image * pixels * d.channels + c;
        for (int pixel = blockIdx.x * tile_pixels + warp; pixel < end; pixel += warps) {
            const float2 x = depthwise(d, taps, from, pixel);
            storePair(to + static_cast<long long>(pixel) * d.channels, x.x, x.y);
            sum.x += x.x;
            sum.y += x.y;
        }
    }
    sums[threadIdx.x] = sum;
    __syncthreads();
    if (warp > 0 || !exists)
        return;
    for (int other = 1; other < warps; ++other) {
        sum.x += sums[other * warp_size + lane].x;
        sum.y += sums[other * warp_size + lane].y;
    }
    storePair(args.sums + (image * args.tiles + blockIdx.x) * d.channels + c, sum.x, sum.y);
}

/// One block takes one image. Memory that one thread writes and others read is this block's alone.
__global__ void __launch_bounds__(threads) gates(GateArgs args) {
    const long long image = blockIdx.x;
    const float* sums = args.sums + image * args.tiles * args.channels;
    float* mean = args.mean + image * args.channels;
    float* hidden = args.hidden + image * args.reduced;
    for (int c = threadIdx.x; c < args.channels; c += threads) {
        float sum = 0.f;
        for (int tile = 0; tile < args.tiles; ++tile)
            sum += sums[static_cast<long long>(tile) * args.channels + c];
        mean[c] = sum / static_cast<float>(args.pixels);
    }
    __syncthreads();
    const int lane = threadIdx.x % warp_size;
    for (int r = threadIdx.x / warp_size; r < args.reduced; r += warps) {
        const float* weights = args.reduce_weights + static_cast<long long>(r) * args.channels;
        float sum = 0.f;
        for (int c = lane; c < args.channels; c += warp_size)
            sum += weights[c] * mean[c];
        sum = warpSum(sum) + args.reduce_bias[r];
        if (lane == 0)
            hidden[r] = activate(args.act, sum, args.slope + r);
    }
    __syncthreads();
    for (int c = threadIdx.x; c < args.channels; c += threads) {
        float sum = args.expand_bias[c];
        for (int r = 0; r < args.reduced; ++r)
            sum += args.expand_weights[static_cast<long long>(r) * args.channels + c] * hidden[r];
        args.gates[image * args.channels + c] = sigmoid(sum);
    }
}

} // namespace

int localSumTiles(int pixels) {
    return divideUp(pixels, tile_pixels);
}

template <typename T>
cudaError_t launchLocalSum(const LocalSumArgs<T>& args, int images, cudaStream_t stream) {
    const dim3 blocks(args.tiles, divideUp(args.depthwise.channels, block_channels), images);
    constexpr int bytes = threads * static_cast<int>(sizeof(float2));
    switch (args.depthwise.side) {
    case 3:
        return launchKernel(localSum<T, 3>, blocks, threads, bytes, stream, args);
    case 5:
        return launchKernel(localSum<T, 5>, blocks, threads, bytes, stream, args);
    default:
        return launchKernel(localSum<T, 0>, blocks, threads, bytes, stream, args);
    }
}

cudaError_t launchGates(const GateArgs& args, int images, cudaStream_t stream) {
    return launchKernel(gates, dim3(images), threads, 0, stream, args);
}

template cudaError_t launchLocalSum(const LocalSumArgs<float>&, int, cudaStream_t);
template cudaError_t launchLocalSum(const LocalSumArgs<__half>&, int, cudaStream_t);

} // namespace irmb::cuda
