#pragma once

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

/// x' of one channel: (x[index[t]] - sub) * mul + add. Without `index`: x[t].
struct Gather {
    const float* x;
    const int* index;
    int tokens;
    float sub;
    float mul;
    float add;
    float* out;
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

/// 3x3 convolution with stride 1 of maps in blocks of `lanes` channels, [block][y][x][lane], by
/// Winograd's F(2x2, 3x3) (Lavin and Gray, arXiv 1509.09308):
/// out = after(before(conv(in) + bias) + residual), for activations of winogradActivates().
struct Winograd {
    const float* in;
    int in_blocks;
    int height;
    int width;
    int top;              ///< rows of zeros above the map
    int left;             ///< columns of zeros before it
    const float* weights; ///< transformed, [16][out block][in channel][lane]
    const float* bias;    ///< [out channel]
    Activation before;
    const float* residual; ///< laid out as `out`; null: none
    Activation after;
    float* out;
    int out_blocks;
    int out_height;
    int out_width;
    int tile_begin; ///< tiles [tile_begin, tile_end) of 2 x 2 outputs, row by row, are computed
    int tile_end;
    float* scratch; ///< winogradScratch() floats
};

/// Whether Winograd computes this activation.
inline bool winogradActivates(Activation act) {
    return act == Activation::None || act == Activation::Relu || act == Activation::Silu;
}

struct Kernels {
    const char* name;
    int lanes;     ///< floats in a vector
    int gemm_rows; ///< rows of a packed block

    void (*gemm)(const Gemm&);
    void (*attention)(const Attention&);
    std::size_t (*attentionScratch)(int dim_value);
    void (*depthwise)(const Depthwise&);
    void (*gather)(const Gather&);
    void (*layerNorm)(const LayerNorm&);
    /// In place on [0, count).
    void (*activate)(Activation act, float slope, float* data, int count);
    /// Sum of [0, count), exactly those.
    double (*sum)(const float* data, int count);
    /// Sum of (data - mean)^2 over [0, count), exactly those.
    double (*squares)(const float* data, int count, float mean);
    void (*winograd)(const Winograd&);
    /// For channels in and out and a number of tiles.
    std::size_t (*winogradScratch)(int channels_in, int channels_out, int tiles);
};

/// Those for the processor at hand.
const Kernels& kernels();

} // namespace irmb::cpu
