#pragma once

namespace irmb {

/// Normalisation in front of an iRMB. All act on [B, C, H, W].
enum class Norm {
    None,     ///< identity
    Batch,    ///< "bn_2d": running statistics folded to a scale and a shift per channel
    Layer,    ///< "ln_2d": over the channels of each pixel
    Instance, ///< "in_2d": over the pixels of each channel of each image
    Group     ///< "gn": over pixels and channels of each group
};

/// Activation of v and of the squeeze-and-excitation branch.
enum class Activation {
    None,
    Relu,
    Relu6,
    Silu,
    Gelu, ///< exact, with erf
    HardSwish,
    HardSigmoid, ///< relu6(x + 3) / 6
    Sigmoid,
    Tanh,
    Mish,
    Prelu ///< needs slopes, one or one a channel
};

/// What a node computes: the block, or only its window attention (steps 1 and 2 of the semantics),
/// for relatives of iRMB whose local branch is another one.
enum class Part { Block, Attention };

/// Geometry and switches of one iRMB. Names follow the PyTorch constructor; docs/irmb-node.md has
/// the semantics. Defaults are those of the YOLO port.
struct IrmbParams {
    int dim_in = 0;  ///< C, channels of the input, > 0
    int dim_mid = 0; ///< M = int(C * exp_ratio), channels of v, > 0
    int dim_out = 0; ///< channels of the output; equals dim_mid for Part::Attention
    Part part = Part::Block;
    Norm norm = Norm::Batch;
    float norm_eps = 1e-6f; ///< used by Layer, Instance and Group
    int norm_groups = 1;    ///< used by Group; divides dim_in
    Activation act = Activation::Relu;
    bool attention = true; ///< attn_s
    bool v_proj = true;    ///< read only without attention: v is a convolution
    bool v_group = false;  ///< v's convolution has dim_in / dim_head groups
    bool attn_pre = false; ///< attention before v's convolution instead of after it
    bool qk_bias = false;
    bool v_bias = false;
    bool proj_bias = false;
    int dim_head = 8;     ///< divides dim_in; dim_in / dim_head heads divide dim_mid
    int window_size = 7;  ///< <= 0: one window, the whole map
    int dw_ks = 3;        ///< side of the depthwise kernel
    int stride = 1;       ///< of the depthwise convolution
    int dilation = 1;     ///< of the depthwise convolution
    int se_channels = 0;  ///< channels between squeeze and excitation; 0: none
    bool has_skip = true; ///< both residuals; needs dim_in == dim_out and an unchanged size

    int heads() const { return dim_head > 0 ? dim_in / dim_head : 0; }
    /// Padding of the depthwise convolution: ceil((dw_ks - stride) / 2), whatever the dilation.
    int dwPadding() const { return dw_ks > stride ? (dw_ks - stride + 1) / 2 : 0; }
    bool hasVConv() const { return attention || v_proj; }
    /// Groups of v's convolution. Like attn_pre and qk_bias, v_group is read only with attention.
    int vGroups() const { return attention && v_group ? heads() : 1; }
};

} // namespace irmb
