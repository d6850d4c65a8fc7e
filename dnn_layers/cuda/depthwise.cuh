#pragma once

#include "cuda/arguments.hpp"
#include "cuda/numeric.cuh"

namespace irmb::cuda {

/// Weights of a depthwise convolution for the channels c and c + 1, in registers.
template <int Side>
struct Taps {
    template <typename T>
    __device__ Taps(const DepthwiseArgs<T>& args, int c) : bias(loadPair(args.bias + c)) {
#pragma unroll
        for (int i = 0; i < Side * Side; ++i)
            weights[i] = loadPair(args.weights + i * args.channels + c);
    }
    __device__ int side() const {
        return Side;
    }
    __device__ float2 operator()(int tap) const {
        return weights[tap];
    }

    float2 bias;
    float2 weights[Side * Side];
};

/// A side that is not known when compiling: weights stay in memory.
template <>
struct Taps<0> {
    template <typename T>
    __device__ Taps(const DepthwiseArgs<T>& args, int c)
        : bias(loadPair(args.bias + c)),
          weights(args.weights + c),
          channels(args.channels),
          size(args.side) {}
    __device__ int side() const { return size; }
    __device__ float2 operator()(int tap) const { return loadPair(weights + tap * channels); }

    float2 bias;
    const float* weights;
    int channels;
    int size;
};

/// silu(depthwise) of two channels at one output pixel; `from` is channel c of the image's first
/// pixel.
template <typename T, int Side>
__device__ float2 depthwise(const DepthwiseArgs<T>& args, const Taps<Side>& taps, const T* from,
                            int pixel) {
    const int top = pixel / args.out_width * args.stride - args.padding;
    const int left = pixel % args.out_width * args.stride - args.padding;
    float2 sum = taps.bias;
#pragma unroll
    for (int i = 0; i < taps.side(); ++i)
#pragma unroll
        for (int j = 0; j < taps.side(); ++j) {
            const int y = top + i * args.dilation;
            const int x = left + j * args.dilation;
            // Outside the map any pixel is loaded: loads that wait for no branch overlap.
            const bool inside = y >= 0 && y < args.height && x >= 0 && x < args.width;
            float2 value = loadPair(from + (inside ? y * args.width + x : 0) * args.channels);
            if (!inside)
                value = make_float2(0.f, 0.f);
            const float2 weight = taps(i * taps.side() + j);
            sum.x += weight.x * value.x;
            sum.y += weight.y * value.y;
        }
    return make_float2(silu(sum.x), silu(sum.y));
}

} // namespace irmb::cuda
