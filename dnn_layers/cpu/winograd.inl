// The Winograd convolution for the instruction set of the including translation unit; see
// kernels.inl.

#include "cpu/kernels.hpp"
#include "cpu/simd.hpp"

namespace irmb::cpu {
namespace {

constexpr int winograd_points = 16; ///< products of a tile: 4 x 4

/// Tiles and blocks of output channels of which the sums are held in registers.
#if defined(__AVX512F__)
constexpr int winograd_tiles = 12;
#else
constexpr int winograd_tiles = 4;
#endif
constexpr int winograd_outputs = 2;
/// Tiles of a part are filled up to a multiple of this.
constexpr int winograd_step = 4;

inline int filledUp(int tiles) {
    return (tiles + winograd_step - 1) / winograd_step * winograd_step;
}

/// Floats from one point to the next. The vector between them keeps the points of a tile from
/// falling into the same set of the cache.
inline std::ptrdiff_t pointStride(int channels, int tiles) {
    return static_cast<std::ptrdiff_t>(channels) * filledUp(tiles) + lanes;
}

std::size_t winogradScratch(int channels_in, int channels_out, int tiles) {
    return winograd_points *
           (pointStride(channels_in, tiles) + pointStride(channels_out, tiles));
}

/// Scratch of a part: [point][block][tile][lane].
struct WinogradPart {
    int tiles;
    float* sources;
    float* products;

    explicit WinogradPart(const Winograd& w)
        : tiles(filledUp(w.tile_end - w.tile_begin)),
          sources(w.scratch),
          products(w.scratch + winograd_points * pointStride(w.in_blocks * lanes, tiles)) {}

    std::ptrdiff_t offset(int blocks, int point, int block, int tile) const {
        return point * pointStride(blocks * lanes, tiles) +
               (static_cast<std::ptrdiff_t>(block) * tiles + tile) * lanes;
    }
};

/// Pixels [y, y + 4) x [x, x + 4) of a block, zero outside of the map.
inline void loadTile(const Winograd& w, const float* block, int y, int x, Vec (&tile)[4][4]) {
    const bool inside = y >= 0 && x >= 0 && y + 4 <= w.height && x + 4 <= w.width;
    for (int i = 0; i < 4; ++i)
        for (int j = 0; j < 4; ++j) {
            const bool exists = inside || (y + i >= 0 && y + i < w.height && x + j >= 0 &&
                                           x + j < w.width);
            const std::ptrdiff_t pixel = static_cast<std::ptrdiff_t>(y + i) * w.width + x + j;
            tile[i][j] = exists ? load(block + pixel * lanes) : Vec{};
        }
}

/// B^T d of four vectors.
inline void transformSource(Vec a, Vec b, Vec c, Vec d, Vec (&out)[4]) {
    out[0] = a - c;
    out[1] = b + c;
    out[2] = c - b;
    out[3] = b - d;
}

void transformSources(const Winograd& w, const WinogradPart& part) {
    const int columns = (w.out_width + 1) / 2;
    const std::ptrdiff_t map = static_cast<std::ptrdiff_t>(w.height) * w.width * lanes;
    const std::ptrdiff_t next_point = part.offset(w.in_blocks, 1, 0, 0);
    for (int block = 0; block < w.in_blocks; ++block) {
        int row = w.tile_begin / columns;
        int column = w.tile_begin % columns;
        for (int tile = 0; tile < part.tiles; ++tile) {
            float* out = part.sources + part.offset(w.in_blocks, 0, block, tile);
            if (w.tile_begin + tile >= w.tile_end) {
                for (int point = 0; point < winograd_points; ++point)
                    store(out + point * next_point, Vec{});
                continue;
            }
            Vec d[4][4];
            loadTile(w, w.in + block * map, 2 * row - w.top, 2 * column - w.left, d);
            Vec rows[4][4];
            for (int j = 0; j < 4; ++j) {
                Vec t[4];
                transformSource(d[0][j], d[1][j], d[2][j], d[3][j], t);
                for (int i = 0; i < 4; ++i)
                    rows[i][j] = t[i];
            }
            for (int i = 0; i < 4; ++i) {
                Vec t[4];
                transformSource(rows[i][0], rows[i][1], rows[i][2], rows[i][3], t);
                for (int j = 0; j < 4; ++j)
                    store(out + (4 * i + j) * next_point, t[j]);
            }
            if (++column == columns) {
                column = 0;
                ++row;
            }
        }
    }
}

/// Products of `tiles` tiles with `outputs` blocks of output channels, at one point.
template <int tiles, int outputs>
void multiplyTiles(const Winograd& w, const WinogradPart& part, int point, int block, int tile) {
    Vec sum[tiles][outputs] = {};
    const std::ptrdiff_t channels = static_cast<std::ptrdiff_t>(w.in_blocks) * lanes;
    const float* weights =
        w.weights + (static_cast<std::ptrdiff_t>(point) * w.out_blocks + block) * channels * lanes;
    for (int in = 0; in < w.in_blocks; ++in) {
        const float* source = part.sources + part.offset(w.in_blocks, point, in, tile);
        for (int c = 0; c < lanes; ++c, weights += lanes) {
            Vec weight[outputs];
#pragma GCC unroll 2
            for (int o = 0; o < outputs; ++o)
                weight[o] = load(weights + o * channels * lanes);
#pragma GCC unroll 12
            for (int t = 0; t < tiles; ++t) {
                const Vec value = broadcast(source[t * lanes + c]);
#pragma GCC unroll 2
                for (int o = 0; o < outputs; ++o)
                    sum[t][o] += value * weight[o];
            }
        }
    }
#pragma GCC unroll 12
    for (int t = 0; t < tiles; ++t)
#pragma GCC unroll 2
        for (int o = 0; o < outputs; ++o)
            store(part.products + part.offset(w.out_blocks, point, block + o, tile + t), sum[t][o]);
}

template <int outputs>
void multiplyBlocks(const Winograd& w, const WinogradPart& part, int point, int block) {
    int tile = 0;
    for (; tile + winograd_tiles <= part.tiles; tile += winograd_tiles)
        multiplyTiles<winograd_tiles, outputs>(w, part, point, block, tile);
    for (; tile < part.tiles; tile += winograd_step)
        multiplyTiles<winograd_step, outputs>(w, part, point, block, tile);
}

void multiply(const Winograd& w, const WinogradPart& part) {
    for (int point = 0; point < winograd_points; ++point) {
        int block = 0;
        for (; block + winograd_outputs <= w.out_blocks; block += winograd_outputs)
            multiplyBlocks<winograd_outputs>(w, part, point, block);
        for (; block < w.out_blocks; ++block)
            multiplyBlocks<1>(w, part, point, block);
    }
}

inline Vec winogradActivated(Activation act, Vec x) {
    if (act == Activation::Silu)
        return x * sigmoid(x);
    return act == Activation::Relu ? maximum(x, Vec{}) : x;
}

void transformProducts(const Winograd& w, const WinogradPart& part) {
    const int columns = (w.out_width + 1) / 2;
    const std::ptrdiff_t map = static_cast<std::ptrdiff_t>(w.out_height) * w.out_width * lanes;
    const std::ptrdiff_t next_point = part.offset(w.out_blocks, 1, 0, 0);
    for (int block = 0; block < w.out_blocks; ++block) {
        const Vec bias = load(w.bias + block * lanes);
        for (int tile = w.tile_begin; tile < w.tile_end; ++tile) {
            const float* m =
                part.products + part.offset(w.out_blocks, 0, block, tile - w.tile_begin);
            Vec rows[2][4];
            for (int j = 0; j < 4; ++j) {
                const Vec b = load(m + (4 + j) * next_point);
                const Vec c = load(m + (8 + j) * next_point);
                rows[0][j] = load(m + j * next_point) + b + c;
                rows[1][j] = b - c - load(m + (12 + j) * next_point);
            }
            const int y = tile / columns * 2;
            const int x = tile % columns * 2;
            for (int i = 0; i < 2 && y + i < w.out_height; ++i) {
                const Vec(&r)[4] = rows[i];
                const Vec sums[2] = {r[0] + r[1] + r[2], r[1] - r[2] - r[3]};
                for (int j = 0; j < 2 && x + j < w.out_width; ++j) {
                    const std::ptrdiff_t at =
                        block * map + (static_cast<std::ptrdiff_t>(y + i) * w.out_width + x + j) * lanes;
                    Vec value = winogradActivated(w.before, sums[j] + bias);
                    if (w.residual)
                        value += load(w.residual + at);
                    store(w.out + at, winogradActivated(w.after, value));
                }
            }
        }
    }
}

void winograd(const Winograd& w) {
    const WinogradPart part(w);
    transformSources(w, part);
    multiply(w, part);
    transformProducts(w, part);
}

} // namespace
} // namespace irmb::cpu
