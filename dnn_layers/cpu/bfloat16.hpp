#pragma once

#include <cstdint>

namespace irmb::cpu {

/// The upper half of a float32.
struct Bfloat16 {
    std::uint16_t bits;
};

/// Rounds a finite number to nearest, ties to even.
Bfloat16 toBfloat16(float value);

} // namespace irmb::cpu
