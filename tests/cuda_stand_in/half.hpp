#pragma once

#include <cstdint>
#include <cuda_fp16.h>

namespace stand_in {

inline uint16_t halfFromFloat(float value) {
    const __half_raw raw = __float2half(value);
    return raw.x;
}

/// Rounded once: not by way of a float.
inline uint16_t halfFromDouble(double value) {
    const __half_raw raw = __double2half(value);
    return raw.x;
}

inline float floatFromHalf(uint16_t bits) {
    __half_raw raw;
    raw.x = bits;
    return __half2float(__half(raw));
}

} // namespace stand_in
