#pragma once

#include "cuda/layout.hpp"

#include <irmb_dnn/irmb_types.hpp>

namespace irmb::cuda {

__device__ inline float toFloat(float x) {
    return x;
}
__device__ inline float toFloat(__half x) {
    return __half2float(x);
}
__device__ inline float2 toFloat(float2 x) {
    return x;
}
__device__ inline float2 toFloat(__half2 x) {
    return __half22float2(x);
}

__device__ inline void store(float* to, float x) {
    *to = x;
}
__device__ inline void store(__half* to, float x) {
    *to = __float2half_rn(x);
}

/// Two neighbours at once; `from` and `to` are aligned to them.
__device__ inline float2 loadPair(const float* from) {
    return *reinterpret_cast<const float2*>(from);
}
__device__ inline float2 loadPair(const __half* from) {
    return toFloat(*reinterpret_cast<const __half2*>(from));
}
__device__ inline void storePair(float* to, float x, float y) {
    *reinterpret_cast<float2*>(to) = make_float2(x, y);
}
__device__ inline void storePair(__half* to, float x, float y) {
    *reinterpret_cast<__half2*>(to) = __floats2half2_rn(x, y);
}

__device__ inline float sigmoid(float x) {
    return 1.f / (1.f + expf(-x));
}
__device__ inline float relu6(float x) {
    return fminf(fmaxf(x, 0.f), 6.f);
}
__device__ inline float silu(float x) {
    return x * sigmoid(x);
}

/// `act` is the same for a whole launch. `slope` is read for Activation::Prelu.
__device__ inline float activate(Activation act, float x, const float* slope) {
    switch (act) {
    case Activation::None:
        return x;
    case Activation::Relu:
        return fmaxf(x, 0.f);
    case Activation::Relu6:
        return relu6(x);
    case Activation::Silu:
        return silu(x);
    case Activation::Gelu:
        return 0.5f * x * (1.f + erff(x * 0.70710678f));
    case Activation::HardSwish:
        return x * relu6(x + 3.f) * (1.f / 6.f);
    case Activation::HardSigmoid:
        return relu6(x + 3.f) * (1.f / 6.f);
    case Activation::Sigmoid:
        return sigmoid(x);
    case Activation::Tanh:
        return tanhf(x);
    case Activation::Mish:
        return x * tanhf(fmaxf(x, 0.f) + log1pf(expf(-fabsf(x))));
    case Activation::Prelu:
        return x >= 0.f ? x : *slope * x;
    }
    return x;
}

/// Sum over the lanes of a warp, in every lane. T is float or int.
template <typename T>
__device__ T warpSum(T x) {
    for (int step = 16; step > 0; step /= 2)
        x += __shfl_xor_sync(0xffffffffu, x, step);
    return x;
}

} // namespace irmb::cuda
