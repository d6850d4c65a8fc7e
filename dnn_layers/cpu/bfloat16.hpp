#pragma once

#include <cstdint>

namespace irmb::cpu {

/// The upper half of a float32.
struct Bfloat16 {
    std::uint16_t bits;
};

} // namespace irmb::cpu
