#pragma once

#include <irmb_dnn/irmb_types.hpp>

/// What the kernels are told. Pointers are device memory; maps of one image after the other.
///
/// Between the kernels a map is token-major, [pixel][channel]: neighbouring lanes take neighbouring
/// channels, and what a head writes for a token is contiguous. Channels of a head are padded to a
/// multiple of 8 there, with weights of zero, so that no kernel needs to look at odd sizes.

namespace irmb::cuda {

/// Strided windows: pixel (y, x) belongs to window (y % rows, x % cols).
struct WindowGrid {
    int height;
    int width;
    int rows;         ///< of windows
    int cols;         ///< of windows
    long long places; ///< tokens of a window, padded ones included
};

/// The input of the first kernel: (x - mean) * scale + shift per channel, and before that, if
/// `over_channels`, each pixel is standardised over its channels.
struct Normalisation {
    const float* mean;  ///< [channels], of each image if image_stride > 0; null: no normalisation
    const float* scale; ///< likewise
    const float* shift; ///< [channels]
    int image_stride;
    bool over_channels;
    float eps;
};

/// A 1x1 convolution: tiles of weights, [outputs / 8][depth / step_depth][weight_tile].
template <typename T>
struct Linear {
    const T* weights;
    const float* bias;  ///< [outputs]
    const float* slope; ///< [outputs]
    Activation act;
    int act_period; ///< outputs o with o % act_period >= act_begin are activated
    int act_begin;
    int outputs; ///< a multiple of 8
    int depth;   ///< inputs, a multiple of 16
};

/// How a map lies in memory, in elements: planar (NCHW) or token-major.
struct MapLayout {
    long long image_stride;
    int pixel_stride; ///< planar: 1
    int channel_stride;
};

template <typename T>
struct AttentionArgs {
    const T* in; ///< the input NCHW, or q, k and v of all tokens in the general kernel
    T* out;
    MapLayout layout;  ///< of the output
    int head_stride;   ///< channels of the output from head to head
    int head_channels; ///< that are stored for each head
    WindowGrid grid;
    int channels; ///< of the input
    int heads;
    int head_q; ///< channels of q and of k in a head, a multiple of 8
    int head_v; ///< channels of v in a head, a multiple of 8
    // What follows is for the fused kernel.
    int heads_per_block;
    Normalisation norm;
    Linear<T> qkv; ///< outputs: q, k, v of head 0, q, k, v of head 1, ...
};

/// silu of a depthwise convolution, [pixel][channel] in and out.
template <typename T>
struct DepthwiseArgs {
    const T* in;
    const float* weights; ///< [side * side][channels]
    const float* bias;    ///< [channels]
    int channels;         ///< a multiple of 8
    int height;
    int width;
    int out_height;
    int out_width;
    int side;
    int stride;
    int padding;
    int dilation;
};

} // namespace irmb::cuda
