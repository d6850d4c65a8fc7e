#pragma once

#include "cuda/arguments.hpp"
#include "cuda/tile.cuh"

namespace irmb::cuda {

/// One window of a grid. Its tokens are the places inside the map, row by row. All padded places
/// are alike, so they are one further token that counts as often as there are such places.
struct Window {
    __device__ Window(const WindowGrid& g, int number)
        : grid(g),
          row(number / g.cols),
          col(number % g.cols),
          token_cols(divideUp(g.width - col, g.cols)),
          inside(divideUp(g.height - row, g.rows) * token_cols),
          padded(g.places - inside),
          tokens(inside + (padded > 0 ? 1 : 0)) {}

    /// Pixel of a token inside the map.
    __device__ int pixel(int token) const {
        const int y = row + token / token_cols * grid.rows;
        const int x = col + token % token_cols * grid.cols;
        return y * grid.width + x;
    }

    const WindowGrid& grid;
    int row;
    int col;
    int token_cols;
    int inside;       ///< tokens inside the map
    long long padded; ///< places that the padding token stands for
    int tokens;       ///< inside, and the padding token if there is one
};

/// Largest and sum over the four lanes that share the rows of a result.
__device__ inline float quadMax(float x) {
    x = fmaxf(x, __shfl_xor_sync(0xffffffffu, x, 1));
    return fmaxf(x, __shfl_xor_sync(0xffffffffu, x, 2));
}
__device__ inline float quadSum(float x) {
    x += __shfl_xor_sync(0xffffffffu, x, 1);
    return x + __shfl_xor_sync(0xffffffffu, x, 2);
}

/// Logits to the base 2 of 16 queries and 8 * N keys from `first` on; keys that do not exist get
/// -infinity. `q` and `k` are token-major in shared memory, `depth` channels wide.
template <typename T, int N>
__device__ void logits(Result (&s)[N], const T* q, const T* k, int stride, int depth) {
    for (int d = 0; d < depth; d += 8) {
        Rows<T, 8> a;
        loadRows(a, q + d, stride);
#pragma unroll
        for (int n = 0; n < N; ++n) {
            Columns<T, 8> b;
            loadColumns(b, k + 8 * n * stride + d, stride);
            multiply(s[n], a, b);
        }
    }
}

template <int N>
__device__ void maskKeys(Result (&s)[N], const Window& window, int first) {
    const float weight = window.padded > 0 ? log2f(static_cast<float>(window.padded)) : 0.f;
#pragma unroll
    for (int n = 0; n < N; ++n)
#pragma unroll
        for (int i = 0; i < 4; ++i) {
            const int key = first + 8 * n + laneColumn() + i % 2;
            if (key >= window.tokens)
                s[n].v[i] = -INFINITY;
            else if (key == window.inside)
                s[n].v[i] += weight;
        }
}

/// A softmax over keys that come 8 * N at a time, for the two rows of a lane.
struct OnlineSoftmax {
    float highest[2] = {-INFINITY, -INFINITY};
    float total[2] = {0.f, 0.f}; ///< of this lane's keys alone

    /// Turns logits into unscaled probabilities; `rescale` is what earlier sums must be multiplied
    /// with. There is at least one key among them.
    template <int N>
    __device__ void add(Result (&s)[N], float (&rescale)[2]) {
#pragma unroll
        for (int row = 0; row < 2; ++row) {
            float top = highest[row];
#pragma unroll
            for (int n = 0; n < N; ++n)
                top = fmaxf(top, fmaxf(s[n].v[2 * row], s[n].v[2 * row + 1]));
            top = quadMax(top);
            rescale[row] = exp2f(highest[row] - top);
            highest[row] = top;
            total[row] *= rescale[row];
#pragma unroll
            for (int n = 0; n < N; ++n)
#pragma unroll
                for (int i = 2 * row; i < 2 * row + 2; ++i) {
                    s[n].v[i] = exp2f(s[n].v[i] - top);
                    total[row] += s[n].v[i];
                }
        }
    }

    __device__ float inverse(int row) const {
        return __fdividef(1.f, quadSum(total[row]));
    }
};

/// Probabilities of 16 queries and 8 * N keys as the rows of a product with v. In half precision
/// they stay in registers; in float they pass through `shared`, memory of this warp's own.
template <typename T, int N>
class Probabilities;

template <int N>
class Probabilities<__half, N> {
public:
    static constexpr int shared_elements = 0;
    static constexpr int depth = 16;

    __device__ Probabilities(const Result (&p)[N], __half* /*shared*/) : p_(p) {}
    __device__ Rows<__half, 16> rows(int step) const {
        return rowsOf(p_[2 * step], p_[2 * step + 1]);
    }

private:
    const Result (&p_)[N];
};

template <int N>
class Probabilities<float, N> {
public:
    static constexpr int stride = sharedStride<float>(8 * N);
    static constexpr int shared_elements = 16 * stride;
    static constexpr int depth = 8;

    __device__ Probabilities(const Result (&p)[N], float* shared) : shared_(shared) {
        __syncwarp(); // the rows before these may still be read
#pragma unroll
        for (int n = 0; n < N; ++n)
#pragma unroll
            for (int row = 0; row < 2; ++row)
                storePair(shared + (laneRow() + 8 * row) * stride + 8 * n + laneColumn(),
                          p[n].v[2 * row], p[n].v[2 * row + 1]);
        __syncwarp();
    }
    __device__ Rows<float, 8> rows(int step) const {
        Rows<float, 8> result;
        loadRows(result, shared_ + step * depth, stride);
        return result;
    }

private:
    const float* shared_;
};

/// result += probabilities times 8 channels of v, token-major in shared memory.
template <typename T, int N>
__device__ void weigh(Result& result, const Probabilities<T, N>& p, const T* v, int stride) {
    constexpr int depth = Probabilities<T, N>::depth;
#pragma unroll
    for (int step = 0; step < 8 * N / depth; ++step) {
        Columns<T, depth> b;
        loadColumnsAcross(b, v + step * depth * stride, stride);
        multiply(result, p.rows(step), b);
    }
}

/// Stores channels c, c + 1, ... of 16 queries, where (c = first + laneColumn()).
template <typename T>
__device__ void storeResult(const AttentionArgs<T>& args, T* image, int head, int first,
                            const Result& result, const float (&scale)[2], const int (&pixel)[2]) {
    const int c = first + laneColumn();
    for (int row = 0; row < 2; ++row) {
        if (pixel[row] < 0)
            continue;
        T* to = image + static_cast<long long>(pixel[row]) * args.layout.pixel_stride +
                static_cast<long long>(head * args.head_stride + c) * args.layout.channel_stride;
        const float left = result.v[2 * row] * scale[row];
        const float right = result.v[2 * row + 1] * scale[row];
        if (args.layout.pixel_stride != 1) { // token-major
            storePair(to, left, right);
            continue;
        }
        if (c < args.head_channels)
            store(to, left);
        if (c + 1 < args.head_channels)
            store(to + args.layout.channel_stride, right);
    }
}

} // namespace irmb::cuda
