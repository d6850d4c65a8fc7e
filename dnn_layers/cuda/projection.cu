#include "cuda/depthwise.cuh"
#include "cuda/launchers.hpp"
#include "cuda/tile.cuh"

namespace irmb::cuda {
namespace {

constexpr int threads = 256;
constexpr int warps = threads / warp_size;
constexpr int chunk = 64; ///< channels that are in shared memory at a time: a pair a lane
constexpr int block_outputs = 64;

/// A source fills tiles of [Pixels][chunk] in shared memory, rows `row_stride` apart, with the
/// values to project: pixels from `first` on, channels from `channel` on, zeros where there are
/// none.
template <typename T>
constexpr int row_stride = sharedStride<T>(chunk);

/// A map, normalised.
template <typename T, int Pixels>
class TokenSource {
public:
    using Args = TokenArgs<T>;
    static constexpr int shared_floats = 2 * Pixels;
    static constexpr bool activated = true;

    __device__ TokenSource(const Args& args, int image, int first, float* shared)
        : args_(args),
          from_(args.in + image * args.layout.image_stride),
          norm_(image * args.norm.image_stride),
          first_(first),
          mean_(shared),
          inverse_(shared + Pixels) {
        if (!args.norm.over_channels)
            return;
        for (int p = threadIdx.x / warp_size; p < Pixels; p += warps)
            if (first + p < args.pixels)
                measure(p);
        __syncthreads();
    }

    /// Neighbouring lanes take what is neighbouring in memory.
    __device__ void fill(T* tile, int channel) const {
        const bool planar = args_.layout.pixel_stride == 1;
        for (int i = threadIdx.x; i < Pixels * chunk; i += threads) {
            const int p = planar ? i % Pixels : i / chunk;
            const int c = planar ? i / Pixels : i % chunk;
            store(tile + p * row_stride<T> + c, value(p, channel + c));
        }
    }

private:
    __device__ float raw(int p, int c) const {
        return toFloat(from_[static_cast<long long>(first_ + p) * args_.layout.pixel_stride +
                             static_cast<long long>(c) * args_.layout.channel_stride]);
    }

    __device__ float value(int p, int c) const {
        if (first_ + p >= args_.pixels || c >= args_.channels)
            return 0.f;
        const float x = raw(p, c);
        const Normalisation& norm = args_.norm;
        if (norm.mean == nullptr)
            return x;
        const float standard =
            norm.over_channels ? (x - mean_[p]) * inverse_[p] : x - norm.mean[norm_ + c];
        return standard * norm.scale[norm_ + c] + norm.shift[c];
    }

    /// Statistics of one pixel over its channels, by one warp.
    __device__ void measure(int p) {
        const int lane = threadIdx.x % warp_size;
        float sum = 0.f;
        for (int c = lane; c < args_.channels; c += warp_size)
            sum += raw(p, c);
        const float mean = warpSum(sum) / static_cast<float>(args_.channels);
        float squares = 0.f;
        for (int c = lane; c < args_.channels; c += warp_size)
            squares += (raw(p, c) - mean) * (raw(p, c) - mean);
        const float variance = warpSum(squares) / static_cast<float>(args_.channels);
        if (lane == 0) {
            mean_[p] = mean;
            inverse_[p] = 1.f / sqrtf(variance + args_.norm.eps);
        }
    }

    const Args& args_;
    const T* from_;
    int norm_;
    int first_;
    float* mean_;
    float* inverse_;
};

/// What the sources have in common that read [pixel][channel]: a lane takes two channels, a warp
/// some neighbouring pixels.
template <typename T, int Pixels, typename Value>
__device__ void fillPairs(T* tile, int first, int pixels, bool exists, Value&& value) {
    constexpr int run = Pixels / warps;
    const int lane = threadIdx.x % warp_size;
    const int p = threadIdx.x / warp_size * run;
    float2 values[run];
#pragma unroll
    for (int i = 0; i < run; ++i)
        values[i] = value(min(first + p + i, pixels - 1));
#pragma unroll
    for (int i = 0; i < run; ++i)
        storePair(tile + (p + i) * row_stride<T> + 2 * lane,
                  exists && first + p + i < pixels ? values[i].x : 0.f,
                  exists && first + p + i < pixels ? values[i].y : 0.f);
}

/// silu(depthwise(map)), and the map itself with the residual. Side 0: any.
template <typename T, int Pixels, int Side>
class LocalSource {
public:
    using Args = LocalArgs<T>;
    static constexpr int shared_floats = 0;
    static constexpr bool activated = false; ///< the result

    __device__ LocalSource(const Args& args, int image, int first, float* /*shared*/)
        : args_(args),
          from_(args.depthwise.in + static_cast<long long>(image) * args.depthwise.height *
                                        args.depthwise.width * args.depthwise.channels),
          first_(first) {}

    __device__ void fill(T* tile, int channel) const {
        const DepthwiseArgs<T>& d = args_.depthwise;
        const int c = channel + threadIdx.x % warp_size * 2;
        const bool exists = c < d.channels;
        const Taps<Side> taps(d, exists ? c : 0);
        const T* from = from_ + (exists ? c : 0);
        fillPairs<T, Pixels>(tile, first_, d.out_height * d.out_width, exists, [&](int pixel) {
            float2 center = make_float2(0.f, 0.f);
            if (args_.residual)
                center = loadPair(from + pixel * d.channels);
            const float2 x = irmb::cuda::depthwise(d, taps, from, pixel);
            return make_float2(x.x + center.x, x.y + center.y);
        });
    }

private:
    const Args& args_;
    const T* from_;
    int first_;
};

/// gate * local, and the residual.
template <typename T, int Pixels>
class GatedSource {
public:
    using Args = GatedArgs<T>;
    static constexpr int shared_floats = 0;
    static constexpr bool activated = false; ///< the result

    __device__ GatedSource(const Args& args, int image, int first, float* /*shared*/)
        : args_(args),
          from_(static_cast<long long>(image) * args.pixels * args.channels),
          gates_(args.gates + static_cast<long long>(image) * args.channels),
          first_(first) {}

    __device__ void fill(T* tile, int channel) const {
        const int own = channel + threadIdx.x % warp_size * 2;
        const bool exists = own < args_.channels;
        const int c = exists ? own : 0;
        const float2 gate = exists ? loadPair(gates_ + c) : make_float2(0.f, 0.f);
        fillPairs<T, Pixels>(tile, first_, args_.pixels, exists, [&](int pixel) {
            const long long at = from_ + static_cast<long long>(pixel) * args_.channels + c;
            const float2 local = loadPair(args_.local + at);
            float2 x = make_float2(gate.x * local.x, gate.y * local.y);
            if (args_.residual != nullptr) {
                const float2 residual = loadPair(args_.residual + at);
                x.x += residual.x;
                x.y += residual.y;
            }
            return x;
        });
    }

private:
    const Args& args_;
    long long from_;
    const float* gates_;
    int first_;
};

/// Where a lane's four results of a tile go: 16 pixels and 8 outputs, from pixel `first` and output
/// `output` on.
template <typename T>
struct TilePlaces {
    __device__ TilePlaces(const ProjectionArgs<T>& args, int image, int first, int output)
        : pixel(first + laneRow()),
          o(output + laneColumn()),
          base(image * args.layout.image_stride) {}
    __device__ bool exists(const ProjectionArgs<T>& args, int i) const {
        return pixel + i / 2 * 8 < args.pixels && o + i % 2 < args.outputs;
    }
    __device__ long long operator()(const ProjectionArgs<T>& args, int i) const {
        return base + static_cast<long long>(pixel + i / 2 * 8) * args.layout.pixel_stride +
               static_cast<long long>(o + i % 2) * args.layout.channel_stride;
    }

    int pixel;
    int o;
    long long base;
};

/// What is to be added to a tile; all of it is loaded before the first store.
template <typename T>
__device__ void loadSkip(const ProjectionArgs<T>& args, const TilePlaces<T>& places, T (&skip)[4]) {
#pragma unroll
    for (int i = 0; i < 4; ++i)
        store(&skip[i], 0.f);
    if (args.skip == nullptr)
        return;
#pragma unroll
    for (int i = 0; i < 4; ++i)
        if (places.exists(args, i))
            skip[i] = args.skip[places(args, i)];
}

template <bool Activated, typename T>
__device__ void storeTile(const ProjectionArgs<T>& args, const TilePlaces<T>& places,
                          const T (&skip)[4], const Result& result) {
    const Linear<T>& linear = args.linear;
    const float2 bias = loadPair(linear.bias + places.o);
    float v[4] = {result.v[0] + bias.x, result.v[1] + bias.y, result.v[2] + bias.x,
                  result.v[3] + bias.y};
    // Tiles of 8 outputs are activated as a whole: begin and period are multiples of 8, or 0 and 1.
    if (Activated && (places.o - laneColumn()) % linear.act_period >= linear.act_begin) {
        const float2 slope = loadPair(linear.slope + places.o);
        activate(linear.act, v, {slope.x, slope.y});
    }
    if (args.layout.pixel_stride != 1) { // token-major
#pragma unroll
        for (int i = 0; i < 4; i += 2)
            if (places.pixel + i / 2 * 8 < args.pixels)
                storePair(args.out + places(args, i), v[i], v[i + 1]);
        return;
    }
#pragma unroll
    for (int i = 0; i < 4; ++i)
        if (places.exists(args, i))
            store(args.out + places(args, i), v[i] + toFloat(skip[i]));
}

/// A 1x1 convolution of what a source makes of its map. A block takes Pixels pixels (x) and
/// block_outputs outputs (y) of an image (z); a warp 16 pixels and 16 or 8 of the outputs. There
/// are two tiles, so that one warp may fill the next chunk of channels while another is at the
/// products of this one.
template <typename T, int Pixels, typename Source>
__global__ void __launch_bounds__(threads)
    projection(ProjectionArgs<T> args, typename Source::Args source_args) {
    constexpr int pixel_tiles = Pixels / 16;
    constexpr int output_tiles = block_outputs / 8 / (warps / pixel_tiles);
    constexpr int buffer = Pixels * row_stride<T>;
    T* tiles = reinterpret_cast<T*>(sharedMemory());
    float* shared = reinterpret_cast<float*>(tiles + 2 * buffer);

    const Linear<T>& linear = args.linear;
    const int first = blockIdx.x * Pixels;
    const Source source(source_args, blockIdx.z, first, shared);
    const int warp = threadIdx.x / warp_size;
    const int row = warp % pixel_tiles * 16;
    const int output = blockIdx.y * block_outputs + warp / pixel_tiles * output_tiles * 8;
    const int exist = (linear.outputs - output) / 8;
    const int tile_stride = linear.depth / step_depth<T> * weight_tile<T>;
    const T* weights = linear.weights + output / 8 * tile_stride;

    Result result[1][output_tiles];
    source.fill(tiles, 0);
    __syncthreads();
    for (int channel = 0, turn = 0; channel < linear.depth; channel += chunk, turn ^= 1) {
        if (channel + chunk < linear.depth)
            source.fill(tiles + (turn ^ 1) * buffer, channel + chunk);
        const int steps = min(chunk, linear.depth - channel) / step_depth<T>;
        multiplyWeights(result, tiles + turn * buffer + row * row_stride<T>, row_stride<T>,
                        weights + channel / step_depth<T> * weight_tile<T>, tile_stride, steps,
                        exist);
        __syncthreads();
    }
    T skip[output_tiles][4];
#pragma unroll
    for (int n = 0; n < output_tiles; ++n)
        loadSkip(args, TilePlaces<T>(args, blockIdx.z, first + row, output + 8 * n), skip[n]);

#pragma unroll
    for (int n = 0; n < output_tiles; ++n)
        if (n < exist)
            storeTile<Source::activated>(
                args, TilePlaces<T>(args, blockIdx.z, first + row, output + 8 * n), skip[n],
                result[0][n]);
}

template <typename T, int Pixels, typename Source>
cudaError_t launchWith(const ProjectionArgs<T>& args, const typename Source::Args& source,
                       int images, cudaStream_t stream) {
    const dim3 blocks(divideUp(args.pixels, Pixels), divideUp(args.linear.outputs, block_outputs),
                      images);
    constexpr int bytes = 2 * Pixels * row_stride<T> * static_cast<int>(sizeof(T)) +
                          Source::shared_floats * static_cast<int>(sizeof(float));
    return launchKernel(projection<T, Pixels, Source>, blocks, threads, bytes, stream, args,
                        source);
}

/// Whether tiles of 32 pixels are enough to occupy all processors; else they have 16.
template <typename T>
bool largeTiles(const ProjectionArgs<T>& args, int images, int processors) {
    const long long blocks = static_cast<long long>(divideUp(args.pixels, 32)) *
                             divideUp(args.linear.outputs, block_outputs) * images;
    return blocks >= processors;
}

} // namespace

template <typename T>
cudaError_t launchTokenProjection(const ProjectionArgs<T>& args, const TokenArgs<T>& tokens,
                                  int images, int processors, cudaStream_t stream) {
    return largeTiles(args, images, processors)
               ? launchWith<T, 32, TokenSource<T, 32>>(args, tokens, images, stream)
               : launchWith<T, 16, TokenSource<T, 16>>(args, tokens, images, stream);
}

template <typename T>
cudaError_t launchLocalProjection(const ProjectionArgs<T>& args, const LocalArgs<T>& local,
                                  int images, int processors, cudaStream_t stream) {
    const bool large = largeTiles(args, images, processors);
    switch (local.depthwise.side) {
    case 3:
        return large ? launchWith<T, 32, LocalSource<T, 32, 3>>(args, local, images, stream)
                     : launchWith<T, 16, LocalSource<T, 16, 3>>(args, local, images, stream);
    case 5:
        return launchWith<T, 16, LocalSource<T, 16, 5>>(args, local, images, stream);
    default:
        return launchWith<T, 16, LocalSource<T, 16, 0>>(args, local, images, stream);
    }
}

template <typename T>
cudaError_t launchGatedProjection(const ProjectionArgs<T>& args, const GatedArgs<T>& gated,
                                  int images, int processors, cudaStream_t stream) {
    return largeTiles(args, images, processors)
               ? launchWith<T, 32, GatedSource<T, 32>>(args, gated, images, stream)
               : launchWith<T, 16, GatedSource<T, 16>>(args, gated, images, stream);
}

#define IRMB_INSTANTIATE(T)                                                                        \
    template cudaError_t launchTokenProjection(const ProjectionArgs<T>&, const TokenArgs<T>&, int, \
                                               int, cudaStream_t);                                 \
    template cudaError_t launchLocalProjection(const ProjectionArgs<T>&, const LocalArgs<T>&, int, \
                                               int, cudaStream_t);                                 \
    template cudaError_t launchGatedProjection(const ProjectionArgs<T>&, const GatedArgs<T>&, int, \
                                               int, cudaStream_t)
IRMB_INSTANTIATE(float);
IRMB_INSTANTIATE(__half);
#undef IRMB_INSTANTIATE

} // namespace irmb::cuda
