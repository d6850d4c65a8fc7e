#include "cuda/attention.cuh"
#include "cuda/launchers.hpp"

namespace irmb::cuda {
namespace {

constexpr int threads = 256;
constexpr int warps = threads / warp_size;
constexpr int most_tokens = fused_tokens;
constexpr int key_tiles = most_tokens / 8;

/// Shared memory of a block, in elements of T after the table of pixels.
template <typename T>
struct Shared {
    __host__ __device__ Shared(int depth, int outputs)
        : x_stride(sharedStride<T>(depth)),
          qkv_stride(sharedStride<T>(outputs)),
          qkv(most_tokens * qkv_stride),
          x(most_tokens * x_stride) {
        constexpr int p = warps * Probabilities<T, key_tiles>::shared_elements;
        x = x > p ? x : p;
    }

    __host__ __device__ int bytes() const {
        return most_tokens * static_cast<int>(sizeof(int)) +
               (qkv + x) * static_cast<int>(sizeof(T));
    }

    int x_stride;
    int qkv_stride;
    int qkv; ///< elements
    int x;   ///< elements; taken over by the probabilities once q, k and v are there
};

/// (x - mean) * scale + shift of one channel; padding stays 0.
struct ChannelNorm {
    __device__ ChannelNorm(const Normalisation& norm, int image, int channel, bool exists) {
        if (!exists || norm.mean == nullptr || norm.over_channels)
            return;
        const int n = image * norm.image_stride + channel;
        mean = norm.mean[n];
        scale = norm.scale[n];
        shift = norm.shift[channel];
    }
    __device__ float operator()(float x) const { return (x - mean) * scale + shift; }

    float mean = 0.f;
    float scale = 1.f;
    float shift = 0.f;
};

/// The tokens of a window, normalised, as [token][channel]; zeros for padding. Eight tokens and
/// four pairs of channels a warp at a time keep the stores free of bank conflicts; all loads of a
/// step are on their way before its first store.
template <typename T>
__device__ void gather(const AttentionArgs<T>& args, const T* image, int image_number,
                       const int* pixels, T* x, int stride) {
    constexpr int tiles = most_tokens / 8;
    int pixel[tiles];
#pragma unroll
    for (int i = 0; i < tiles; ++i)
        pixel[i] = pixels[8 * i + laneRow()];
    const int plane = args.grid.height * args.grid.width;
    for (int block = threadIdx.x / warp_size; block < args.qkv.depth / 8; block += warps) {
        const int c = 8 * block + laneColumn();
        T raw[2][tiles];
#pragma unroll
        for (int k = 0; k < 2; ++k) {
            // Always an element of the map, so that no load waits for a condition.
            const T* channel =
                image + static_cast<long long>(min(c + k, args.channels - 1)) * plane;
#pragma unroll
            for (int i = 0; i < tiles; ++i)
                raw[k][i] = channel[max(pixel[i], 0)];
        }
        float values[2][tiles];
#pragma unroll
        for (int k = 0; k < 2; ++k) {
            const bool exists = c + k < args.channels;
            const ChannelNorm norm(args.norm, image_number, c + k, exists);
#pragma unroll
            for (int i = 0; i < tiles; ++i)
                values[k][i] = exists && pixel[i] >= 0 ? norm(toFloat(raw[k][i])) : 0.f;
        }
#pragma unroll
        for (int i = 0; i < tiles; ++i)
            storePair(x + (8 * i + laneRow()) * stride + c, values[0][i], values[1][i]);
    }
}

/// Standardises each token over its channels, a warp a token.
template <typename T>
__device__ void standardise(const AttentionArgs<T>& args, int inside, T* x, int stride) {
    const Normalisation& norm = args.norm;
    const int lane = threadIdx.x % warp_size;
    for (int token = threadIdx.x / warp_size; token < inside; token += warps) {
        T* row = x + token * stride;
        float sum = 0.f;
        for (int c = lane; c < args.channels; c += warp_size)
            sum += toFloat(row[c]);
        const float mean = warpSum(sum) / static_cast<float>(args.channels);
        float squares = 0.f;
        for (int c = lane; c < args.channels; c += warp_size) {
            const float difference = toFloat(row[c]) - mean;
            squares += difference * difference;
        }
        const float variance = warpSum(squares) / static_cast<float>(args.channels);
        const float inverse = 1.f / sqrtf(variance + norm.eps);
        for (int c = lane; c < args.channels; c += warp_size)
            store(row + c, (toFloat(row[c]) - mean) * inverse * norm.scale[c] + norm.shift[c]);
    }
}

/// q, k and v of the block's heads as [token][output], a tile of 32 tokens and 16 outputs a warp.
template <typename T>
__device__ void project(const Linear<T>& linear, int first_output, int outputs, int rows,
                        const T* x, int x_stride, T* qkv, int qkv_stride) {
    constexpr int depth = step_depth<T>;
    const int steps = linear.depth / depth;
    const int tile_stride = steps * weight_tile<T>;
    const int token_tiles = divideUp(rows, 32);
    const int units = token_tiles * divideUp(outputs, 16);
    for (int unit = threadIdx.x / warp_size; unit < units; unit += warps) {
        const int token = unit % token_tiles * 32;
        const int output = unit / token_tiles * 16;
        const int tiles = (outputs - output) / 8;
        float2 bias[2] = {};
        float2 slope[2] = {};
#pragma unroll
        for (int n = 0; n < 2; ++n)
            if (n < tiles) {
                const int o = first_output + output + 8 * n + laneColumn();
                bias[n] = loadPair(linear.bias + o);
                slope[n] = loadPair(linear.slope + o);
            }
        Result result[2][2];
        multiplyWeights(result, x + token * x_stride, x_stride,
                        linear.weights + (first_output + output) / 8 * tile_stride, tile_stride,
                        steps, tiles);
#pragma unroll
        for (int n = 0; n < 2; ++n) {
            if (n >= tiles)
                continue;
            // Tiles of 8 outputs are activated as a whole: begin and period are multiples of 8.
            const int o = first_output + output + 8 * n;
            const bool active = o % linear.act_period >= linear.act_begin;
            float v[8];
#pragma unroll
            for (int i = 0; i < 8; ++i)
                v[i] = result[i / 4][n].v[i % 4] + (i % 2 == 0 ? bias[n].x : bias[n].y);
            activate(active ? linear.act : Activation::None, v, {slope[n].x, slope[n].y});
#pragma unroll
            for (int i = 0; i < 4; ++i)
                storePair(qkv + (token + 8 * i + laneRow()) * qkv_stride + output + 8 * n +
                              laneColumn(),
                          v[2 * i], v[2 * i + 1]);
        }
    }
}

/// 16 queries of one head.
template <typename T>
__device__ void attend(const AttentionArgs<T>& args, const Window& window, const int* pixels,
                       int head, int query, const T* qkv, int stride, T* shared, T* image) {
    Result s[key_tiles];
    logits(s, qkv + query * stride, qkv + args.head_q, stride, args.head_q);
    maskKeys(s, window, 0);
    OnlineSoftmax softmax;
    float unused[2];
    softmax.add(s, unused);
    const float scale[2] = {softmax.inverse(0), softmax.inverse(1)};
    const int pixel[2] = {pixels[query + laneRow()], pixels[query + laneRow() + 8]};
    const Probabilities<T, key_tiles> p(s, shared);
    for (int c = 0; c < args.head_v; c += 8) {
        Result result;
        weigh(result, p, qkv + 2 * args.head_q + c, stride);
        storeResult(args, image, head, c, result, scale, pixel);
    }
}

/// Window attention from the input to its result, for windows of up to `most_tokens` tokens. One
/// block takes one window (x) of one image (z) and some heads (y); q, k, v, logits and
/// probabilities never leave the chip.
template <typename T>
__global__ void __launch_bounds__(threads, 2) windowAttention(AttentionArgs<T> args) {
    const Window window(args.grid, blockIdx.x);
    const int head_outputs = 2 * args.head_q + args.head_v;
    const int first_head = blockIdx.y * args.heads_per_block;
    const int heads = min(args.heads_per_block, args.heads - first_head);
    const Shared<T> sizes(args.qkv.depth, args.heads_per_block * head_outputs);
    int* pixels = reinterpret_cast<int*>(sharedMemory());
    T* qkv = reinterpret_cast<T*>(pixels + most_tokens);
    T* x = qkv + sizes.qkv;

    if (threadIdx.x < most_tokens) {
        const int token = threadIdx.x;
        pixels[token] = token < window.inside ? window.pixel(token) : -1;
    }
    __syncthreads();
    const long long image_size =
        static_cast<long long>(args.channels) * args.grid.height * args.grid.width;
    gather(args, args.in + blockIdx.z * image_size, blockIdx.z, pixels, x, sizes.x_stride);
    __syncthreads();
    if (args.norm.over_channels) {
        standardise(args, window.inside, x, sizes.x_stride);
        __syncthreads();
    }
    project(args.qkv, first_head * head_outputs, heads * head_outputs, most_tokens, x,
            sizes.x_stride, qkv, sizes.qkv_stride);
    __syncthreads();

    const int warp = threadIdx.x / warp_size;
    T* shared = x + warp * Probabilities<T, key_tiles>::shared_elements;
    T* image = args.out + blockIdx.z * args.layout.image_stride;
    const int query_tiles = divideUp(window.inside, 16);
    for (int unit = warp; unit < heads * query_tiles; unit += warps) {
        const int head = unit / query_tiles;
        attend(args, window, pixels, first_head + head, unit % query_tiles * 16,
               qkv + head * head_outputs, sizes.qkv_stride, shared, image);
    }
}

} // namespace

template <typename T>
int windowAttentionShared(const AttentionArgs<T>& args) {
    const int outputs = args.heads_per_block * (2 * args.head_q + args.head_v);
    return Shared<T>(args.qkv.depth, outputs).bytes();
}

template <typename T>
cudaError_t launchWindowAttention(const AttentionArgs<T>& args, int images, cudaStream_t stream) {
    const dim3 blocks(args.grid.rows * args.grid.cols, divideUp(args.heads, args.heads_per_block),
                      images);
    return launchKernel(windowAttention<T>, blocks, threads, windowAttentionShared(args), stream,
                        args);
}

template int windowAttentionShared(const AttentionArgs<float>&);
template int windowAttentionShared(const AttentionArgs<__half>&);
template cudaError_t launchWindowAttention(const AttentionArgs<float>&, int, cudaStream_t);
template cudaError_t launchWindowAttention(const AttentionArgs<__half>&, int, cudaStream_t);

} // namespace irmb::cuda
