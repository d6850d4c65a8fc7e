#pragma once

#include "cpu/bfloat16.hpp"

#include <irmb_dnn/irmb_params.hpp>

#include <cstddef>

/// The inner loops of the CPU path. They are written once (kernels.inl) and compiled for several
/// instruction sets; kernels() picks the best that the processor has.
///
/// Tokens (pixels) are the SIMD lanes: matrices are [channel][token] with a leading dimension in
/// floats. Unless noted, kernels may read and write up to `lanes` floats beyond the last token of a
/// row, so scratch rows are followed by that much room.
namespace irmb::cpu {

/// d = a * b + bias (+ residual): a is [rows, inner], b [inner, tokens], d [rows, tokens].
/// Writes exactly [rows, tokens]; reads no further than that from `residual`.
struct Gemm {
    const float* a;    ///< packed by PackedMatrix for Kernels::gemm_rows
    const float* bias; ///< [rows] rounded up to gemm_rows
    int rows;
    int inner;
    int tokens;
    const float* b;
    std::ptrdiff_t ldb;
    const float* residual; ///< null: none
    std::ptrdiff_t ldr;
    float* d;
    std::ptrdiff_t ldd;
};

/// Powers of bounded logits neither overflow nor become denormal, so that they do without their
/// maximum.
constexpr float most_logit = 60.f;

/// Attention of one head in one window: out = softmax2(q^T k) v over the tokens, where softmax2 has
/// the base 2. `padding` further keys have the key pad_k and the value pad_v.
struct Attention {
    const float* q; ///< [dim_head][token]
    const float* k; ///< [dim_head][token]
    std::ptrdiff_t ld;
    const float* v; ///< [dim_value][token]
    std::ptrdiff_t ldv;
    int dim_head;
    int dim_value;
    int tokens;
    int query_begin; ///< queries [query_begin, query_end) are computed
    int query_end;
    bool bounded; ///< no logit is below -most_logit or above most_logit
    float padding;
    const float* pad_k; ///< [dim_head]
    const float* pad_v; ///< [dim_value]
    float* out;         ///< [dim_value][token]
    std::ptrdiff_t ldo;
    float* scratch; ///< Kernels::attentionScratch(dim_value) floats
};

/// Depthwise convolution of one channel with SiLU: out = gate * silu(conv(in)) (+ centre).
struct Depthwise {
    const float* in; ///< input under the kernel's first tap of the first output
    std::ptrdiff_t ld;
    const float* weights; ///< [size][size]
    float bias;
    int size;
    int stride;
    int dilation;
    int rows; ///< of the output
    int cols;
    float gate;
    const float* centre; ///< [rows][cols], leading dimension ld; null: none
    float* out;          ///< [rows][cols] without gaps
};

/// Tokens of a map: out[c][t] = (x[c][index[t]] - sub[c]) * mul[c] + add[c]. Without `index`:
/// x[c][t].
struct Gather {
    const float* x;
    std::ptrdiff_t plane; ///< floats from one channel of x to the next
    const int* index;
    int channels;
    int tokens;
    const float* sub;
    const float* mul;
    const float* add;
    float* out;
    std::ptrdiff_t ld;
};

/// Tokens back to a map: out[c][to[i]] = x[c][from[i]].
struct Scatter {
    const float* x;
    std::ptrdiff_t ld;
    const int* from;
    const int* to; ///< increasing
    int channels;
    int tokens;
    float* out;
    std::ptrdiff_t plane; ///< floats from one channel of out to the next
};

/// Normalises each token over its channels, in place, then scales and shifts.
struct LayerNorm {
    float* data; ///< [channels][token]
    std::ptrdiff_t ld;
    int channels;
    int tokens;
    float eps;
    const float* scale; ///< [channels]
    const float* shift;
};

/// What follows the sum of a convolution: after(before(sum + bias) + residual).
template <typename Element>
struct Epilogue {
    const float* bias;       ///< [channels]
    const Element* residual; ///< a map like the result; null: none
    Activation before;       ///< not Prelu
    Activation after;        ///< not Prelu
};

/// Pixels of which many planes are gathered at a time.
constexpr int gathered_pixels = 48;

/// A convolution of 1 x 1. Maps of blocked convolutions are [blocks][pixels][lanes]: `lanes`
/// channels together. Sums are float32.
template <typename Element>
struct Pointwise {
    const Element* in;
    int in_blocks;
    /// [out_blocks][in channels][lanes]; of Bfloat16, [out_blocks][in channels / 2][lanes][2]
    const Element* weights;
    Element* out;
    int out_blocks;
    int pixels;
    int first; ///< pixels [first, last) are computed
    int last;
    Epilogue<Element> epilogue;
    Element* scratch; ///< gathered_pixels * in channels, aligned for vectors
};

/// Winograd's F(4 x 4, 3 x 3).
struct WinogradTile {
    static constexpr int side = 6;     ///< of the square of input that a tile needs
    static constexpr int out_side = 4; ///< of the square of output that it gives
    static constexpr int places = side * side;
    /// The transforms evaluate at 0, +-point, +-1 / point and infinity.
    static constexpr double point = 1.5;
};

/// A convolution of 3 x 3 with stride 1 in tiles. Multiplies what is transformed as `Element`, and
/// adds in float32.
template <typename Element>
struct Winograd {
    const Element* in; ///< [in_blocks][in_height][in_width][lanes]
    int in_blocks;
    int in_height;
    int in_width;
    int pad_top;
    int pad_left;
    const Element* weights; ///< transformed: for each place as in Pointwise
    Element* out;           ///< [out_blocks][height][width][lanes]
    int out_blocks;
    int height;
    int width;
    int tile_cols; ///< tiles in a row of tiles
    int first;     ///< tiles [first, last) are computed, row by row
    int last;
    Epilogue<Element> epilogue;
    float* scratch;          ///< places * (in_step + out_step) floats
    std::ptrdiff_t in_step;  ///< at least tiles * in_blocks * lanes
    std::ptrdiff_t out_step; ///< at least tiles * out_blocks * lanes
};

/// Rows [first, last) of a dense convolution of a map of few channels, float32 in planes.
template <typename Element>
struct Thin {
    const float* in; ///< [channels][in_height][in_width]
    int channels;
    int in_height;
    int in_width;
    int pad_top;
    int pad_left;
    int kernel[2]; ///< height, width
    int stride[2];
    int dilation[2];
    const float* weights; ///< [out_blocks][channels][kernel][lanes]
    Element* out;         ///< [out_blocks][height][width][lanes]
    int out_blocks;
    int height;
    int width;
    int first;
    int last;
    Epilogue<Element> epilogue;
    int patch_width; ///< columns of the input, with zeros around, that a row of the result needs
    float* patch;    ///< [channels][rows of the input that are needed][patch_width]
};

/// Channels of the input that one product of tile registers takes.
constexpr int tile_channels = 32;
/// Pixels beyond the last one that tiles may read and write.
constexpr int tile_overrun = 32;

/// Rows [first, last) of a dense convolution by tile registers.
struct Tiled {
    const Bfloat16* in; ///< [in_blocks][in_height][in_width][lanes]
    int in_blocks;
    int in_height;
    int in_width;
    int pad_top;
    int pad_left;
    int kernel[2]; ///< height, width
    int stride[2];
    int dilation[2];
    /// [out_blocks][kernel][in channels / 32, rounded up][16][lanes][2]: pairs of channels together
    const Bfloat16* weights;
    Bfloat16* out; ///< [out_blocks][height][width][lanes]
    int out_blocks;
    int height;
    int width;
    int first;
    int last;
    Epilogue<Bfloat16> epilogue;
    int patch_width; ///< columns of the input, with zeros around, that a row of the result needs
    /// [in channels / 32, rounded up][rows that are needed][patch_width][32], and room for
    /// tile_overrun * stride pixels
    Bfloat16* patch;
    float* sums;              ///< two times sums_step
    std::ptrdiff_t sums_step; ///< at least (rows * max(width, patch_width) + tile_overrun) * lanes
};

/// Boxes of anchors [begin, end) from distributions over distances (Li et al., "Generalized Focal
/// Loss", 2020): a distance is the mean of `distances` under the softmax of the logits.
struct BoxDecode {
    const float* logits; ///< [4 * bins][ld], bins of left, top, right and bottom
    std::ptrdiff_t ld;
    int bins;
    const float* distances; ///< [bins]
    const float* first;     ///< [2][anchors]: x1, y1 = (first - distance) * scale
    const float* second;    ///< [2][anchors]: x2, y2 = (second + distance) * scale
    const float* scale;     ///< [anchors]
    int anchors;
    int begin;
    int end;
    float* out; ///< [4][anchors]
};

struct Kernels {
    const char* name;
    int lanes;          ///< floats in a vector
    int gemm_rows;      ///< rows of a packed block
    int product_places; ///< places of a blocked map that a product takes at a time

    void (*gemm)(const Gemm&);
    void (*attention)(const Attention&);
    std::size_t (*attentionScratch)(int dim_value);
    /// The highest sum of squares of a token of x[dims][ld].
    float (*longest)(const float* x, std::ptrdiff_t ld, int dims, int tokens);
    void (*depthwise)(const Depthwise&);
    void (*gather)(const Gather&);
    void (*scatter)(const Scatter&);
    void (*layerNorm)(const LayerNorm&);
    /// In place on [0, count).
    void (*activate)(Activation act, float slope, float* data, int count);
    /// Sum of [0, count), exactly those.
    double (*sum)(const float* data, int count);
    /// Sum of (data - mean)^2 over [0, count), exactly those.
    double (*squares)(const float* data, int count, float mean);
    void (*pointwise)(const Pointwise<float>&);
    void (*pointwise_bf16)(const Pointwise<Bfloat16>&);
    void (*winograd)(const Winograd<float>&);
    void (*winograd_bf16)(const Winograd<Bfloat16>&);
    void (*thin)(const Thin<float>&);
    void (*thin_bf16)(const Thin<Bfloat16>&);
    void (*tiled)(const Tiled&); ///< null where there are no tile registers
    void (*decodeBoxes)(const BoxDecode&);
};

/// Those for the processor at hand.
const Kernels& kernels();

} // namespace irmb::cpu
