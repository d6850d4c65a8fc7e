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
    return __fdividef(1.f, 1.f + expf(-x));
}
__device__ inline float relu6(float x) {
    return fminf(fmaxf(x, 0.f), 6.f);
}
__device__ inline float silu(float x) {
    return x * sigmoid(x);
}

template <int N, typename Function>
__device__ void forEach(float (&x)[N], Function&& function) {
#pragma unroll
    for (int i = 0; i < N; ++i)
        x[i] = function(x[i]);
}

/// Activates some values at once: one branch for all of them. `act` is the same for a whole warp.
/// slope[i % 2] is read for Activation::Prelu.
template <int N>
__device__ void activate(Activation act, float (&x)[N], const float (&slope)[2]) {
    switch (act) {
    case Activation::None:
        return;
    case Activation::Relu:
        return forEach(x, [](float v) { return fmaxf(v, 0.f); });
    case Activation::Relu6:
        return forEach(x, [](float v) { return relu6(v); });
    case Activation::Silu:
        return forEach(x, [](float v) { return silu(v); });
    case Activation::Gelu:
        return forEach(x, [](float v) { return 0.5f * v * (1.f + erff(v * 0.70710678f)); });
    case Activation::HardSwish:
        return forEach(x, [](float v) { return v * relu6(v + 3.f) * (1.f / 6.f); });
    case Activation::HardSigmoid:
        return forEach(x, [](float v) { return relu6(v + 3.f) * (1.f / 6.f); });
    case Activation::Sigmoid:
        return forEach(x, [](float v) { return sigmoid(v); });
    case Activation::Tanh:
        return forEach(x, [](float v) { return tanhf(v); });
    case Activation::Mish:
        return forEach(x,
                       [](float v) { return v * tanhf(fmaxf(v, 0.f) + log1pf(expf(-fabsf(v)))); });
    case Activation::Prelu:
#pragma unroll
        for (int i = 0; i < N; ++i)
            x[i] = x[i] >= 0.f ? x[i] : slope[i % 2] * x[i];
        return;
    }
}

/// The same for one value; `slope` is read for Activation::Prelu.
__device__ inline float activate(Activation act, float x, const float* slope) {
    float values[1] = {x};
    const float slopes[2] = {act == Activation::Prelu ? *slope : 0.f, 0.f};
    activate(act, values, slopes);
    return values[0];
}

/// Sum over the lanes of a warp, in every lane. T is float or int.
template <typename T>
__device__ T warpSum(T x) {
    for (int step = 16; step > 0; step /= 2)
        x += __shfl_xor_sync(0xffffffffu, x, step);
    return x;
}

} // namespace irmb::cuda
