#pragma once

#include <cuda_fp16.h>
#include <cuda_runtime.h>

/// Sizes that the kernels and the preparation of their weights agree on.

namespace irmb::cuda {

__host__ __device__ constexpr int divideUp(int a, int b) {
    return (a + b - 1) / b;
}
__host__ __device__ constexpr int roundUp(int a, int b) {
    return divideUp(a, b) * b;
}

constexpr int warp_size = 32;

/// Depth of one step of a product: what the tensor cores like, what float has registers for.
template <typename T>
constexpr int step_depth = 8;
template <>
inline constexpr int step_depth<__half> = 16;

/// Elements of a tile of prepared weights: 8 outputs, step_depth inputs, 256 bytes.
template <typename T>
constexpr int weight_tile = 8 * step_depth<T>;

/// Where the weight of output `n` and input `k` lies in a tile: with float row by row, in half
/// precision in the order in which lanes hold it for mma.m16n8k16.
template <typename T>
constexpr int placeInTile(int n, int k) {
    return n * 8 + k;
}
template <>
constexpr int placeInTile<__half>(int n, int k) {
    return (n * 4 + k % 8 / 2) * 4 + k / 8 * 2 + k % 2;
}

} // namespace irmb::cuda
