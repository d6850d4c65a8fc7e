#pragma once

#include "cuda/irmb_kernels.hpp"

#include <vector>

namespace irmb::cuda {

/// A 1x1 convolution, padded with zeros: outputs to a multiple of 8, inputs to one of 16.
struct Matrix {
    int outputs = 0;
    int depth = 0;
    std::vector<float> weights; ///< [outputs][depth]
    std::vector<float> bias;    ///< [outputs]
    std::vector<float> slope;   ///< [outputs]
};

/// The weights of a block in the layout of the kernels (cuda/arguments.hpp), still on the host.
struct Prepared {
    int head_q = 0;     ///< channels of q and k in a head
    int head_v = 0;     ///< channels of the attention's values in a head
    int head_value = 0; ///< of them, those that are real
    int mid = 0;        ///< channels of the map that the local branch works on

    std::vector<float> norm_mean; ///< zeros, [C]; empty without a norm, like the next
    std::vector<float> norm_scale;
    std::vector<float> norm_shift;

    /// Of each head: q, with the logits' scale and log2(e) in it; k; the values. With attn_pre the
    /// values are the head's own channels, and the matrix copies them.
    Matrix qkv;
    Matrix v; ///< without attention, or behind it; the identity where v is not a convolution

    std::vector<float> local_weights; ///< [taps][mid]
    std::vector<float> local_bias;    ///< [mid]

    std::vector<float> se_reduce_weights; ///< [R][mid]
    std::vector<float> se_reduce_bias;    ///< [R]
    std::vector<float> se_slope;          ///< [R]
    std::vector<float> se_expand_weights; ///< [R][mid]
    std::vector<float> se_expand_bias;    ///< [mid]

    Matrix proj;
};

Prepared prepare(const IrmbParams& params, const HostWeights& weights);

} // namespace irmb::cuda
