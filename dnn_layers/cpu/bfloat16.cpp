#include "cpu/bfloat16.hpp"

#include <cstring>

namespace irmb::cpu {

Bfloat16 toBfloat16(float value) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, &value, sizeof(bits));
    return {static_cast<std::uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16)};
}

} // namespace irmb::cpu
