#pragma once

#include "emulation.hpp"

/// Plain equivalents of cuda/tile_gpu.cuh, which includes this in its stead: each lane reads and
/// writes the elements that the PTX ISA gives it.

namespace irmb::cuda {

inline unsigned char* sharedMemory() {
    return emulation::sharedMemory();
}

inline unsigned pairOf(const __half& low, const __half& high) {
    return static_cast<unsigned>(low.bits) | static_cast<unsigned>(high.bits) << 16;
}
inline float halfOf(unsigned pair, int which) {
    return __half2float({static_cast<std::uint16_t>(pair >> (16 * which))});
}

/// rows(r, k) = from[r * stride + k].
template <int D>
void loadRows(Rows<__half, D>& rows, const __half* from, int stride) {
    for (int i = 0; i < D / 4; ++i) {
        const __half* at = from + (laneRow() + i % 2 * 8) * stride + laneColumn() + i / 2 * 8;
        rows.r[i] = pairOf(at[0], at[1]);
    }
}

/// rows(r, k) = from[k * stride + r].
template <int D>
void loadRowsAcross(Rows<__half, D>& rows, const __half* from, int stride) {
    for (int i = 0; i < D / 4; ++i) {
        const __half* at = from + (laneColumn() + i / 2 * 8) * stride + laneRow() + i % 2 * 8;
        rows.r[i] = pairOf(at[0], at[stride]);
    }
}

/// columns(k, n) = from[n * stride + k].
template <int D>
void loadColumns(Columns<__half, D>& columns, const __half* from, int stride) {
    for (int i = 0; i < D / 8; ++i) {
        const __half* at = from + laneRow() * stride + laneColumn() + i * 8;
        columns.r[i] = pairOf(at[0], at[1]);
    }
}

/// columns(k, n) = from[k * stride + n].
template <int D>
void loadColumnsAcross(Columns<__half, D>& columns, const __half* from, int stride) {
    for (int i = 0; i < D / 8; ++i) {
        const __half* at = from + (laneColumn() + i * 8) * stride + laneRow();
        columns.r[i] = pairOf(at[0], at[stride]);
    }
}

/// Collects the operands from the 32 lanes, multiplies and hands out the result.
template <int D>
void multiply(Result& result, const Rows<__half, D>& a, const Columns<__half, D>& b) {
    struct Lane {
        Result* result;
        const Rows<__half, D>* a;
        const Columns<__half, D>* b;
    } mine = {&result, &a, &b};
    emulation::together(&mine, [](void* const* lanes) {
        const auto lane = [&](int g, int t) { return static_cast<Lane*>(lanes[4 * g + t]); };
        float rows[16][D];
        float columns[8][D];
        for (int g = 0; g < 8; ++g)
            for (int k = 0; k < D; ++k) {
                const Lane* from = lane(g, k % 8 / 2);
                rows[g][k] = halfOf(from->a->r[k / 8 * 2], k % 2);
                rows[g + 8][k] = halfOf(from->a->r[k / 8 * 2 + 1], k % 2);
                columns[g][k] = halfOf(from->b->r[k / 8], k % 2);
            }
        for (int r = 0; r < 16; ++r)
            for (int n = 0; n < 8; ++n) {
                float sum = 0.f;
                for (int k = 0; k < D; ++k)
                    sum += rows[r][k] * columns[n][k];
                lane(r % 8, n / 2)->result->v[r / 8 * 2 + n % 2] += sum;
            }
    });
}

} // namespace irmb::cuda
