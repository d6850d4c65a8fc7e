#pragma once

#include "cuda/numeric.cuh"

/// Products of small tiles by one warp: tensor cores for half precision, multiply-adds for float,
/// behind the same types. With g = lane / 4 and t = lane % 4, a lane holds of
///   a 16 x 8 result:  (g, 2t), (g, 2t+1), (g+8, 2t), (g+8, 2t+1), always in float;
///   16 x D rows:      half: as mma.m16n8kD wants them; float: the rows g and g+8 whole;
///   D x 8 columns:    half: as mma.m16n8kD wants them; float: the columns 2t and 2t+1 whole.
/// (PTX ISA, "Matrix Fragments for mma.m16n8k8" and "... m16n8k16".)

namespace irmb::cuda {

struct Result {
    float v[4] = {0.f, 0.f, 0.f, 0.f};
};

template <typename T, int D>
struct Rows {
    float v[2][D];
};
template <int D>
struct Rows<__half, D> {
    unsigned r[D / 4];
};

template <typename T, int D>
struct Columns {
    float v[2][D];
};
template <int D>
struct Columns<__half, D> {
    unsigned r[D / 8];
};

__device__ inline int laneRow() {
    return threadIdx.x % warp_size / 4;
}
__device__ inline int laneColumn() {
    return threadIdx.x % 4 * 2;
}

/// Distance of rows of `columns` elements in shared memory: a multiple of 16 bytes, an odd one, so
/// that the eight rows a warp reads at a time lie in different banks.
template <typename T>
__host__ __device__ constexpr int sharedStride(int columns) {
    constexpr int unit = 16 / static_cast<int>(sizeof(T));
    return (divideUp(columns, unit) | 1) * unit;
}

} // namespace irmb::cuda

#if defined(__CUDACC__)
#include "cuda/tile_gpu.cuh"
#else
#include <tile_emulation.hpp>
#endif

namespace irmb::cuda {

/// rows(r, k) = from[r * stride + k], in shared memory.
template <int D>
__device__ void loadRows(Rows<float, D>& rows, const float* from, int stride) {
#pragma unroll
    for (int i = 0; i < 2; ++i)
#pragma unroll
        for (int k = 0; k < D; k += 4) {
            const float4 x =
                *reinterpret_cast<const float4*>(from + (laneRow() + 8 * i) * stride + k);
            rows.v[i][k] = x.x;
            rows.v[i][k + 1] = x.y;
            rows.v[i][k + 2] = x.z;
            rows.v[i][k + 3] = x.w;
        }
}

/// rows(r, k) = from[k * stride + r], in shared memory.
template <int D>
__device__ void loadRowsAcross(Rows<float, D>& rows, const float* from, int stride) {
#pragma unroll
    for (int k = 0; k < D; ++k) {
        rows.v[0][k] = from[k * stride + laneRow()];
        rows.v[1][k] = from[k * stride + laneRow() + 8];
    }
}

/// columns(k, n) = from[n * stride + k], in shared memory.
template <int D>
__device__ void loadColumns(Columns<float, D>& columns, const float* from, int stride) {
#pragma unroll
    for (int i = 0; i < 2; ++i)
#pragma unroll
        for (int k = 0; k < D; k += 4) {
            const float4 x =
                *reinterpret_cast<const float4*>(from + (laneColumn() + i) * stride + k);
            columns.v[i][k] = x.x;
            columns.v[i][k + 1] = x.y;
            columns.v[i][k + 2] = x.z;
            columns.v[i][k + 3] = x.w;
        }
}

/// columns(k, n) = from[k * stride + n], in shared memory.
template <int D>
__device__ void loadColumnsAcross(Columns<float, D>& columns, const float* from, int stride) {
#pragma unroll
    for (int k = 0; k < D; ++k) {
        const float2 x = loadPair(from + k * stride + laneColumn());
        columns.v[0][k] = x.x;
        columns.v[1][k] = x.y;
    }
}

/// One tile of prepared weights, in global memory: [8 outputs][8 inputs].
__device__ inline void loadWeights(Columns<float, 8>& columns, const float* tile) {
    loadColumns(columns, tile, 8);
}

/// One tile of prepared weights, in global memory: what each lane needs lies together.
__device__ inline void loadWeights(Columns<__half, 16>& columns, const __half* tile) {
    const uint2 x = reinterpret_cast<const uint2*>(tile)[threadIdx.x % warp_size];
    columns.r[0] = x.x;
    columns.r[1] = x.y;
}

template <int D>
__device__ void multiply(Result& result, const Rows<float, D>& a, const Columns<float, D>& b) {
#pragma unroll
    for (int k = 0; k < D; ++k)
#pragma unroll
        for (int i = 0; i < 4; ++i)
            result.v[i] += a.v[i / 2][k] * b.v[i % 2][k];
}

__device__ inline unsigned packHalves(float x, float y) {
    const __half2 pair = __floats2half2_rn(x, y);
    unsigned bits;
    memcpy(&bits, &pair, sizeof bits);
    return bits;
}

/// A row tile made of two neighbouring results: their layouts agree.
__device__ inline Rows<__half, 16> rowsOf(const Result& left, const Result& right) {
    return {{packHalves(left.v[0], left.v[1]), packHalves(left.v[2], left.v[3]),
             packHalves(right.v[0], right.v[1]), packHalves(right.v[2], right.v[3])}};
}

/// result[m][n] += rows of shared memory times weights: `steps` steps of step_depth inputs, rows
/// 16 m ..., weight tiles `tile_stride` apart. Tiles of n >= `tiles` do not exist.
template <typename T, int M, int N>
__device__ void multiplyWeights(Result (&result)[M][N], const T* rows, int stride, const T* weights,
                                int tile_stride, int steps, int tiles) {
    constexpr int depth = step_depth<T>;
    // Tensor-core instructions are volatile: loads behind them would not be issued before them.
    constexpr int ahead = sizeof(T) == 2 ? 4 : 1;
    for (int first = 0; first < steps; first += ahead) {
        Columns<T, depth> b[ahead][N];
#pragma unroll
        for (int step = 0; step < ahead; ++step)
#pragma unroll
            for (int n = 0; n < N; ++n)
                if (n < tiles && first + step < steps)
                    loadWeights(b[step][n],
                                weights + n * tile_stride + (first + step) * weight_tile<T>);
#pragma unroll
        for (int step = 0; step < ahead; ++step) {
            if (first + step >= steps)
                break;
#pragma unroll
            for (int m = 0; m < M; ++m) {
                Rows<T, depth> a;
                loadRows(a, rows + 16 * m * stride + (first + step) * depth, stride);
#pragma unroll
                for (int n = 0; n < N; ++n)
                    if (n < tiles)
                        multiply(result[m][n], a, b[step][n]);
            }
        }
    }
}

} // namespace irmb::cuda
