#pragma once

#include "half.hpp"

#include <algorithm>
#include <vector>

namespace stand_in {

enum class Precision { Float, Half };

inline std::vector<float> read(const void* from, Precision precision, std::size_t count) {
    std::vector<float> values(count);
    if (precision == Precision::Half)
        std::transform(static_cast<const uint16_t*>(from),
                       static_cast<const uint16_t*>(from) + count, values.begin(), floatFromHalf);
    else
        std::copy_n(static_cast<const float*>(from), count, values.begin());
    return values;
}

inline void write(const std::vector<float>& values, void* to, Precision precision) {
    if (precision == Precision::Half)
        std::transform(values.begin(), values.end(), static_cast<uint16_t*>(to), halfFromFloat);
    else
        std::copy(values.begin(), values.end(), static_cast<float*>(to));
}

} // namespace stand_in
