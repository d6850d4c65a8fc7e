#pragma once

#include <cstdint>
#include <cstring>

/// Half precision, on the host.

struct __half {
    std::uint16_t bits;
};
struct alignas(4) __half2 {
    __half x, y;
};

inline float __half2float(__half half) {
    const std::uint32_t sign = (half.bits & 0x8000u) << 16;
    const std::uint32_t rest = half.bits & 0x7fffu;
    float value;
    if (rest < 0x0400u) { // zero or subnormal: a multiple of 2^-24
        value = static_cast<float>(rest) * 5.9604645e-8f;
        return sign ? -value : value;
    }
    const std::uint32_t bits =
        sign | (rest >= 0x7c00u ? 0x7f800000u | rest << 13 : (rest << 13) + (112u << 23));
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

/// To the nearest, ties to even.
inline __half __float2half_rn(float value) {
    std::uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    const auto sign = static_cast<std::uint16_t>(bits >> 16 & 0x8000u);
    bits &= 0x7fffffffu;
    std::uint32_t rest;
    if (bits > 0x7f800000u) {
        rest = 0x7fff;
    } else if (bits >= 0x47800000u) { // 65536 and beyond
        rest = 0x7c00;
    } else if (bits < 0x38800000u) { // below 2^-14: the sum has the places of a subnormal
        float sum;
        std::memcpy(&sum, &bits, sizeof sum);
        sum += 0.5f;
        std::memcpy(&rest, &sum, sizeof rest);
        rest -= 0x3f000000u;
    } else {
        rest = (bits - (112u << 23) + 0xfffu + (bits >> 13 & 1u)) >> 13;
    }
    return {static_cast<std::uint16_t>(sign | rest)};
}

inline __half2 __floats2half2_rn(float x, float y) {
    return {__float2half_rn(x), __float2half_rn(y)};
}

#include "cuda_runtime.h"

inline float2 __half22float2(__half2 pair) {
    return {__half2float(pair.x), __half2float(pair.y)};
}
