"""The Inverted Residual Mobile Block (EMO, ICCV 2023, arXiv 2301.01146) as a PyTorch module.

Constructor names, defaults and state-dict names are those that checkpoints in the wild use.
"""
import math

import torch
from torch import nn

from .layout import PlainLayout


class LayerNorm2d(nn.Module):
    """Layer normalisation over the channels of each pixel of a [B, C, H, W] map."""

    def __init__(self, channels, eps=1e-6):
        super().__init__()
        self.norm = nn.LayerNorm(channels, eps=eps)

    def forward(self, x):
        return self.norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def make_norm(name, channels, eps=1e-6, groups=1):
    """The normalisation called `name`: none, bn_2d, ln_2d, in_2d or gn."""
    makers = {
        "none": lambda: nn.Identity(),
        "bn_2d": lambda: nn.BatchNorm2d(channels, eps=eps),
        "ln_2d": lambda: LayerNorm2d(channels, eps=eps),
        "in_2d": lambda: nn.InstanceNorm2d(channels, eps=eps, affine=True),
        "gn": lambda: nn.GroupNorm(groups, channels, eps=eps),
    }
    if name not in makers:
        raise ValueError(f"norm_layer '{name}' is unknown: use one of {', '.join(makers)}")
    return makers[name]()


ACTIVATIONS = {
    "none": nn.Identity,
    "relu": nn.ReLU,
    "relu6": nn.ReLU6,
    "silu": nn.SiLU,
    "swish": nn.SiLU,
    "gelu": nn.GELU,
    "hswish": nn.Hardswish,
    "hsigmoid": nn.Hardsigmoid,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "mish": nn.Mish,
    "prelu": nn.PReLU,
}


def make_act(name):
    """The activation called `name`: a key of ACTIVATIONS, or a class that makes a module."""
    if not isinstance(name, str):
        return name()
    if name not in ACTIVATIONS:
        raise ValueError(f"act_layer '{name}' is unknown: use one of {', '.join(ACTIVATIONS)}")
    return ACTIVATIONS[name]()


class ConvNormAct(nn.Module):
    """Convolution, normalisation, activation. Padding ignores the dilation, as checkpoints expect."""

    def __init__(self, dim_in, dim_out, kernel_size, stride=1, dilation=1, groups=1, bias=False,
                 norm_layer="none", act_layer="none", norm_eps=1e-6):
        super().__init__()
        padding = math.ceil((kernel_size - stride) / 2)
        self.conv = nn.Conv2d(dim_in, dim_out, kernel_size, stride, padding, dilation, groups, bias)
        self.norm = make_norm(norm_layer, dim_out, norm_eps)
        self.act = make_act(act_layer)

    def forward(self, x):
        return self.act(self.norm(self.conv(x)))


class SqueezeExcite(nn.Module):
    """t * sigmoid(expand(act(reduce(mean of t over the map))))."""

    def __init__(self, channels, ratio, act_layer):
        super().__init__()
        reduced = max(1, round(channels * ratio))
        self.conv_reduce = nn.Conv2d(channels, reduced, 1)
        self.act1 = make_act(act_layer)
        self.conv_expand = nn.Conv2d(reduced, channels, 1)

    def forward(self, x):
        squeezed = x.mean((2, 3), keepdim=True)
        return x * torch.sigmoid(self.conv_expand(self.act1(self.conv_reduce(squeezed))))


class iRMB(nn.Module):
    """[B, dim_in, H, W] -> [B, dim_out, H', W'], H' = H unless the stride or dilation changes it.

    window_size <= 0 makes the whole map one window. attn_drop, drop and drop_path are accepted and
    do nothing at inference. The keyword-only arguments are not in the usual constructor:
    norm_eps and norm_groups of the first normalisation, proj_bias for forks whose projection has a
    bias, layout for how tensors are regrouped (see layout.py).
    """

    def __init__(self, dim_in, dim_out, norm_in=True, has_skip=True, exp_ratio=1.0,
                 norm_layer="bn_2d", act_layer="relu", v_proj=True, dw_ks=3, stride=1, dilation=1,
                 se_ratio=0.0, dim_head=8, window_size=7, attn_s=True, qkv_bias=False,
                 attn_drop=0.0, drop=0.0, drop_path=0.0, v_group=False, attn_pre=False, *,
                 norm_eps=1e-6, norm_groups=1, proj_bias=False, layout=PlainLayout):
        super().__init__()
        if attn_s and dim_in % dim_head:
            raise ValueError(f"dim_head {dim_head} does not divide dim_in {dim_in}")
        dim_mid = int(dim_in * exp_ratio)
        self.has_skip = has_skip and dim_in == dim_out and stride == 1
        self.attn_s = attn_s
        self.attn_pre = attn_pre
        self.window_size = window_size
        self.num_head = dim_in // dim_head
        self.scale = dim_head ** -0.5
        self.layout = layout
        self.norm = make_norm(norm_layer if norm_in else "none", dim_in, norm_eps, norm_groups)
        if attn_s:
            self.qk = ConvNormAct(dim_in, 2 * dim_in, 1, bias=qkv_bias)
        if attn_s or v_proj:
            groups = self.num_head if attn_s and v_group else 1
            self.v = ConvNormAct(dim_in, dim_mid, 1, groups=groups, bias=qkv_bias,
                                 act_layer=act_layer)
        else:
            self.v = nn.Identity()
        self.conv_local = ConvNormAct(dim_mid, dim_mid, dw_ks, stride, dilation, groups=dim_mid,
                                      norm_layer="bn_2d", act_layer="silu")
        self.se = SqueezeExcite(dim_mid, se_ratio, act_layer) if se_ratio > 0 else nn.Identity()
        self.proj = ConvNormAct(dim_mid, dim_out, 1, bias=proj_bias)

    def attention(self, x):
        """Softmax attention inside each window; x: [B', C, h, w] -> [B', M, h, w]."""
        h, w = self.layout.shape(x)[2:]
        q, k = self.queries_and_keys(x)
        weights = self.weigh(q, k)
        if self.attn_pre:
            x = weights @ self.layout.split_heads(x, self.num_head)
            return self.v(self.layout.join_heads(x, h, w))
        v = self.layout.split_heads(self.v(x), self.num_head)
        return self.layout.join_heads(weights @ v, h, w)

    def queries_and_keys(self, x):
        qk = self.layout.split_qk(self.qk(x), self.num_head)
        return qk[0], qk[1]

    def weigh(self, q, k):
        return (q @ k.transpose(-2, -1) * self.scale).softmax(dim=-1)

    def windowed(self, x):
        """Pads to whole windows, attends in each, crops."""
        h, w = self.layout.shape(x)[2:]
        wh, ww = (self.window_size, self.window_size) if self.window_size > 0 else (h, w)
        pad_b, pad_r = (wh - h % wh) % wh, (ww - w % ww) % ww
        x = self.layout.pad(x, pad_b, pad_r)
        n1, n2 = (h + pad_b) // wh, (w + pad_r) // ww
        x = self.layout.partition(x, n1, n2)
        x = self.layout.unpartition(self.attention(x), n1, n2)
        if pad_b > 0 or pad_r > 0:
            x = x[:, :, :h, :w]
        return x

    def local(self, x):
        return self.se(self.conv_local(x))

    def core(self, x):
        """What happens before the local branch."""
        x = self.norm(x)
        return self.windowed(x) if self.attn_s else self.v(x)

    def finish(self, shortcut, x):
        """Local branch, projection and residuals."""
        x = x + self.local(x) if self.has_skip else self.local(x)
        x = self.proj(x)
        return shortcut + x if self.has_skip else x

    def forward(self, x):
        return self.finish(x, self.core(x))
