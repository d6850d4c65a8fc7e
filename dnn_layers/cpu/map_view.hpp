#pragma once

#include <cstddef>

namespace irmb::cpu {

/// A map [channels][height][width] whose rows and planes may lie apart.
struct MapView {
    float* data;
    int channels;
    int height;
    int width;
    std::ptrdiff_t row;   ///< floats from one row to the next
    std::ptrdiff_t plane; ///< floats from one channel to the next

    float* at(int c, int y, int x) const { return data + c * plane + y * row + x; }

    static MapView dense(float* data, int channels, int height, int width) {
        return {data, channels, height, width, width, static_cast<std::ptrdiff_t>(height) * width};
    }
};

/// Leading dimension of scratch for `tokens` tokens, with room for a vector to run over. An odd
/// number of cache lines keeps the rows of a matrix from falling into the same few cache sets.
inline std::ptrdiff_t leadingDimension(int tokens) {
    constexpr int line = 16;
    const std::ptrdiff_t lines = (tokens + line - 1) / line + 1;
    return (lines | 1) * line;
}

} // namespace irmb::cpu
