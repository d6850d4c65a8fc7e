#include "cuda/attention.cuh"
#include "cuda/global_attention.hpp"
#include "cuda/launchers.hpp"
#include "cuda/require.hpp"

#include <cstdint>

namespace irmb::cuda {
namespace {

constexpr int block_queries = 16;
constexpr int block_keys = 32;
constexpr int key_tiles = block_keys / 8;
constexpr int chunk = 32; ///< channels of k that are in shared memory at a time, and of v
constexpr int value_tiles = chunk / 8;

template <typename T>
constexpr int warps = 8;
template <>
inline constexpr int warps<float> = 4; ///< what the shared memory of small GPUs is enough for
template <typename T>
constexpr int threads = int{warp_size} * warps<T>;

template <typename T>
struct GlobalAttentionArgs {
    const T* in;
    T* out;
    T* values; ///< null: not wanted
    int heads;
    int dim_key;
    int dim_value;
    int pixels;
    int value_chunks;
    float scale; ///< of the logits, to the base 2
    bool wide;   ///< rows of pixels are whole units of 16 bytes
};

// In shared memory maps stay planar, [channel][pixel].
template <typename T>
constexpr int query_stride = sharedStride<T>(block_queries);
template <typename T>
constexpr int key_stride = sharedStride<T>(block_keys);
template <typename T>
constexpr int keys_elements = int{chunk} * key_stride<T>; ///< of k, and of v, for one warp

/// Pixels [first, first + Pixels) of `rows` channels to rows of shared memory; zeros for channels
/// from `channels` on and behind the last pixel.
template <int Pixels, typename T>
__device__ void copyMap(const T* from, const GlobalAttentionArgs<T>& args, int first, int channels,
                        int rows, T* to, int worker, int workers) {
    constexpr int stride = sharedStride<T>(Pixels);
    constexpr int unit = 16 / static_cast<int>(sizeof(T));
    if (args.wide) {
#pragma unroll 4
        for (int i = worker; i < rows * (Pixels / unit); i += workers) {
            const int row = i / (Pixels / unit);
            const int pixel = i % (Pixels / unit) * unit;
            float4 x = {0.f, 0.f, 0.f, 0.f};
            if (row < channels && first + pixel < args.pixels)
                x = *reinterpret_cast<const float4*>(from + row * args.pixels + first + pixel);
            *reinterpret_cast<float4*>(to + row * stride + pixel) = x;
        }
        return;
    }
#pragma unroll 8
    for (int i = worker; i < rows * Pixels; i += workers) {
        const int row = i / Pixels;
        const int pixel = i % Pixels;
        T x;
        store(&x, 0.f);
        if (row < channels && first + pixel < args.pixels)
            x = from[row * args.pixels + first + pixel];
        to[row * stride + pixel] = x;
    }
}

/// s += q^T k over `depth` channels; `depth` is rounded up to whole steps, which are zeros there.
template <typename T>
__device__ void addLogits(Result (&s)[key_tiles], const T* q, const T* k, int depth) {
#pragma unroll 1
    for (int d = 0; d < depth; d += step_depth<T>) {
        Rows<T, step_depth<T>> a;
        loadRowsAcross(a, q + d * query_stride<T>, query_stride<T>);
#pragma unroll
        for (int n = 0; n < key_tiles; ++n) {
            Columns<T, step_depth<T>> b;
            loadColumnsAcross(b, k + d * key_stride<T> + 8 * n, key_stride<T>);
            multiply(s[n], a, b);
        }
    }
}

__device__ inline void scaleAndMask(Result (&s)[key_tiles], float scale, int keys) {
#pragma unroll
    for (int n = 0; n < key_tiles; ++n)
#pragma unroll
        for (int i = 0; i < 4; ++i) {
            const bool exists = 8 * n + laneColumn() + i % 2 < keys;
            s[n].v[i] = exists ? s[n].v[i] * scale : -INFINITY;
        }
}

/// What one warp found among its keys, in its shared memory. A warp that had none has weight 0.
struct Part {
    static constexpr int stride = block_queries + 1;

    __device__ explicit Part(void* memory)
        : highest(static_cast<float*>(memory)),
          total(highest + block_queries),
          result(total + block_queries) {}

    __device__ void write(const OnlineSoftmax& softmax, const Result (&found)[value_tiles]) {
#pragma unroll
        for (int row = 0; row < 2; ++row) {
            const int query = laneRow() + 8 * row;
            const float sum = quadSum(softmax.total[row]);
            if (laneColumn() == 0) {
                highest[query] = softmax.highest[row];
                total[query] = sum;
            }
#pragma unroll
            for (int n = 0; n < value_tiles; ++n)
#pragma unroll
                for (int i = 0; i < 2; ++i)
                    result[(8 * n + laneColumn() + i) * stride + query] = found[n].v[2 * row + i];
        }
    }

    float* highest; ///< logit, [query]
    float* total;   ///< of the probabilities, [query]
    float* result;  ///< [channel][query], `stride` apart
};

/// 16 queries (x) of up to `chunk` channels of v of one head (y) of an image (z). The warps share
/// out the keys, and what they have found is put together at the end.
template <typename T>
__global__ void __launch_bounds__(threads<T>) globalAttention(GlobalAttentionArgs<T> args) {
    const int first_query = blockIdx.x * block_queries;
    const int head = blockIdx.y / args.value_chunks;
    const int first_value = blockIdx.y % args.value_chunks * chunk;
    const int values = min(chunk, args.dim_value - first_value);
    const int head_channels = 2 * args.dim_key + args.dim_value;
    const long long head_of_all = static_cast<long long>(blockIdx.z) * args.heads + head;
    const T* q = args.in + head_of_all * head_channels * args.pixels;
    const T* k = q + args.dim_key * args.pixels;
    const T* v = k + (args.dim_key + first_value) * args.pixels;
    const long long result_place = (head_of_all * args.dim_value + first_value) * args.pixels;

    T* shared_q = reinterpret_cast<T*>(sharedMemory());
    T* parts = shared_q + roundUp(args.dim_key, chunk) * query_stride<T>;
    const int warp = threadIdx.x / warp_size;
    const int lane = threadIdx.x % warp_size;
    T* shared_k = parts + warp * 2 * keys_elements<T>;
    T* shared_v = shared_k + keys_elements<T>;
    copyMap<block_queries>(q, args, first_query, args.dim_key, roundUp(args.dim_key, step_depth<T>),
                           shared_q, threadIdx.x, threads<T>);
    __syncthreads();

    using Shares = Probabilities<T, key_tiles>;
    static_assert(Shares::shared_elements <= keys_elements<T>, "they take the place of k");
    OnlineSoftmax softmax;
    Result result[value_tiles];
    for (int key = warp * block_keys; key < args.pixels; key += warps<T> * block_keys) {
        copyMap<block_keys>(v, args, key, values, chunk, shared_v, lane, warp_size);
        Result s[key_tiles];
        for (int d = 0; d < args.dim_key; d += chunk) {
            const int depth = min(chunk, args.dim_key - d);
            copyMap<block_keys>(k + d * args.pixels, args, key, depth, chunk, shared_k, lane,
                                warp_size);
            __syncwarp();
            addLogits(s, shared_q + d * query_stride<T>, shared_k, depth);
            __syncwarp(); // k is about to be replaced
        }
        scaleAndMask(s, args.scale, args.pixels - key);
        float rescale[2];
        softmax.add(s, rescale);
        const Shares p(s, shared_k);
#pragma unroll
        for (int n = 0; n < value_tiles; ++n) {
#pragma unroll
            for (int i = 0; i < 4; ++i)
                result[n].v[i] *= rescale[i / 2];
#pragma unroll
            for (int step = 0; step < block_keys / Shares::depth; ++step) {
                Columns<T, Shares::depth> b;
                loadColumns(b, shared_v + 8 * n * key_stride<T> + step * Shares::depth,
                            key_stride<T>);
                multiply(result[n], p.rows(step), b);
            }
        }
        __syncwarp(); // v and the probabilities are about to be replaced
    }

    static_assert((2 * block_queries + chunk * Part::stride) * sizeof(float) <=
                      2 * keys_elements<T> * sizeof(T),
                  "what a warp found takes the place of its k and v");
    Part(shared_k).write(softmax, result);
    __syncthreads();
    for (int i = threadIdx.x; i < values * block_queries; i += threads<T>) {
        const int channel = i / block_queries;
        const int query = i % block_queries;
        const int pixel = first_query + query;
        if (pixel >= args.pixels)
            continue;
        float top = -INFINITY;
        for (int w = 0; w < warps<T>; ++w)
            top = fmaxf(top, Part(parts + w * 2 * keys_elements<T>).highest[query]);
        float sum = 0.f;
        float total = 0.f;
        for (int w = 0; w < warps<T>; ++w) {
            const Part part(parts + w * 2 * keys_elements<T>);
            const float weight = exp2f(part.highest[query] - top);
            total += weight * part.total[query];
            sum += weight * part.result[channel * Part::stride + query];
        }
        const long long place = result_place + channel * args.pixels + pixel;
        store(args.out + place, sum / total);
        if (args.values != nullptr)
            args.values[place] = v[channel * args.pixels + pixel];
    }
}

template <typename T>
int sharedBytes(int dim_key) {
    const int elements =
        roundUp(dim_key, chunk) * query_stride<T> + warps<T> * 2 * keys_elements<T>;
    return elements * static_cast<int>(sizeof(T));
}

} // namespace

template <typename T>
void launchGlobalAttention(cudaStream_t stream, const T* x, T* y, T* values,
                           const AttentionShape& shape, float scale, const std::string& layer) {
    const std::string name = "GlobalAttention '" + layer + "'";
    if (!attentionFits(shape))
        throw Error(name + ": a batch of " + std::to_string(shape.images) + " maps of " +
                    std::to_string(shape.pixels) + " pixels, " + std::to_string(shape.heads) +
                    " heads of " + std::to_string(shape.dim_key) + " and " +
                    std::to_string(shape.dim_value) +
                    " channels is empty or too large for the CUDA kernel");
    GlobalAttentionArgs<T> args = {};
    args.in = x;
    args.out = y;
    args.values = values;
    args.heads = shape.heads;
    args.dim_key = shape.dim_key;
    args.dim_value = shape.dim_value;
    args.pixels = shape.pixels;
    args.value_chunks = divideUp(shape.dim_value, chunk);
    args.scale = scale * 1.44269504f;
    args.wide = reinterpret_cast<std::uintptr_t>(x) % 16 == 0 && shape.pixels * sizeof(T) % 16 == 0;
    const dim3 blocks(divideUp(shape.pixels, block_queries), shape.heads * args.value_chunks,
                      shape.images);
    const cudaError_t error = launchKernel(globalAttention<T>, blocks, threads<T>,
                                           sharedBytes<T>(shape.dim_key), stream, args);
    require(error, name, {"CUDA kernel globalAttention"});
}

template void launchGlobalAttention(cudaStream_t, const float*, float*, float*,
                                    const AttentionShape&, float, const std::string&);
template void launchGlobalAttention(cudaStream_t, const __half*, __half*, __half*,
                                    const AttentionShape&, float, const std::string&);

} // namespace irmb::cuda
