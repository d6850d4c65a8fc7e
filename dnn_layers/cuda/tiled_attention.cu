#include "cuda/attention.cuh"
#include "cuda/launchers.hpp"

namespace irmb::cuda {
namespace {

constexpr int threads = 128;
constexpr int warps = threads / warp_size;
constexpr int block_queries = 16 * warps;
constexpr int block_keys = 32;
constexpr int key_tiles = block_keys / 8;
constexpr int chunk = 64; ///< channels of q and k that are in shared memory at a time, and of v
constexpr int value_tiles = chunk / 8;

template <typename T>
constexpr int row_stride = sharedStride<T>(chunk);

/// Reads q, k and v of tokens: [pixel][head][q, k, v], the padding token behind the last pixel.
template <typename T>
struct Tokens {
    __device__ Tokens(const AttentionArgs<T>& args, const Window& of, int image, int head)
        : window(of),
          row(args.heads * (2 * args.head_q + args.head_v)),
          pixels(args.grid.height * args.grid.width),
          from(args.in + static_cast<long long>(image) * (pixels + 1) * row +
               head * (2 * args.head_q + args.head_v)) {}

    /// Channels [channel, channel + count) of tokens [first, first + rows) to rows of shared
    /// memory; zeros where there are none.
    __device__ void copy(int first, int rows, int channel, int count, T* to) const {
        for (int i = threadIdx.x; i < rows * chunk / 2; i += threads) {
            const int r = i / (chunk / 2);
            const int c = i % (chunk / 2) * 2;
            const int token = first + r;
            float2 value = make_float2(0.f, 0.f);
            if (token < window.tokens && c < count) {
                const int place = token < window.inside ? window.pixel(token) : pixels;
                value = loadPair(from + static_cast<long long>(place) * row + channel + c);
            }
            storePair(to + r * row_stride<T> + c, value.x, value.y);
        }
    }

    const Window& window;
    int row;
    int pixels;
    const T* from;
};

/// Attention of windows of any size, keys a block at a time. A block takes some queries of one
/// window (x), one head and up to `chunk` of its channels of v (y), and one image (z).
template <typename T>
__global__ void __launch_bounds__(threads) tiledAttention(AttentionArgs<T> args, int query_blocks) {
    const Window window(args.grid, blockIdx.x / query_blocks);
    const int first_query = blockIdx.x % query_blocks * block_queries;
    if (first_query >= window.inside)
        return;
    const int value_chunks = divideUp(args.head_v, chunk);
    const int head = blockIdx.y / value_chunks;
    const int first_value = blockIdx.y % value_chunks * chunk;
    const int values = min(chunk, args.head_v - first_value);
    const Tokens<T> tokens(args, window, blockIdx.z, head);

    using Shares = Probabilities<T, key_tiles>;
    T* q = reinterpret_cast<T*>(sharedMemory());
    T* k = q + block_queries * row_stride<T>;
    T* v = k + block_keys * row_stride<T>;
    const int warp = threadIdx.x / warp_size;
    T* shared = v + block_keys * row_stride<T> + warp * Shares::shared_elements;

    OnlineSoftmax softmax;
    Result result[value_tiles];
    for (int key = 0; key < window.tokens; key += block_keys) {
        Result s[key_tiles];
        tokens.copy(key, block_keys, 2 * args.head_q + first_value, values, v);
        for (int d = 0; d < args.head_q; d += chunk) {
            const int depth = min(chunk, args.head_q - d);
            tokens.copy(first_query, block_queries, d, depth, q);
            tokens.copy(key, block_keys, args.head_q + d, depth, k);
            __syncthreads();
            logits(s, q + warp * 16 * row_stride<T>, k, row_stride<T>, depth);
            __syncthreads();
        }
        maskKeys(s, window, key);
        float rescale[2];
        softmax.add(s, rescale);
        const Shares p(s, shared);
#pragma unroll
        for (int n = 0; n < value_tiles; ++n) {
            if (8 * n >= values)
                continue;
#pragma unroll
            for (int i = 0; i < 4; ++i)
                result[n].v[i] *= rescale[i / 2];
            weigh(result[n], p, v + 8 * n, row_stride<T>);
        }
        __syncthreads(); // v is about to be replaced
    }

    const float scale[2] = {softmax.inverse(0), softmax.inverse(1)};
    int pixel[2];
#pragma unroll
    for (int row = 0; row < 2; ++row) {
        const int query = first_query + 16 * warp + laneRow() + 8 * row;
        pixel[row] = query < window.inside ? window.pixel(query) : -1;
    }
    T* image = args.out + blockIdx.z * args.layout.image_stride;
#pragma unroll
    for (int n = 0; n < value_tiles; ++n)
        if (8 * n < values)
            storeResult(args, image, head, first_value + 8 * n, result[n], scale, pixel);
}

} // namespace

template <typename T>
cudaError_t launchTiledAttention(const AttentionArgs<T>& args, int images, cudaStream_t stream) {
    const WindowGrid& grid = args.grid;
    const int most_queries = divideUp(grid.height, grid.rows) * divideUp(grid.width, grid.cols);
    const int query_blocks = divideUp(most_queries, block_queries);
    const dim3 blocks(grid.rows * grid.cols * query_blocks,
                      args.heads * divideUp(args.head_v, chunk), images);
    constexpr int elements = (block_queries + 2 * block_keys) * row_stride<T> +
                             warps * Probabilities<T, key_tiles>::shared_elements;
    return launchKernel(tiledAttention<T>, blocks, threads, elements * static_cast<int>(sizeof(T)),
                        stream, args, query_blocks);
}

template cudaError_t launchTiledAttention(const AttentionArgs<float>&, int, cudaStream_t);
template cudaError_t launchTiledAttention(const AttentionArgs<__half>&, int, cudaStream_t);

} // namespace irmb::cuda
