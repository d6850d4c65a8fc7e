"""Modules that resemble an iRMB without being one, for the negative controls of the golden vectors.

Tail relatives keep the window attention and change the local branch: their attention may be fused.
Look-alikes change the attention or the residuals: they must run as standard operators.
"""
import torch
from torch import nn
from torch.nn import functional as F

from .irmb import ConvNormAct, SqueezeExcite, iRMB
from .layout import PlainLayout


# --- other local branch, same attention ----------------------------------------------------------

class DilatedBranches(nn.Module):
    """A sum of depthwise convolutions with batch norms, some of them dilated."""

    def __init__(self, channels, branches=((5, 1), (3, 1), (3, 2))):
        super().__init__()
        self.convs = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(channels, channels, k, padding=d * (k // 2), dilation=d, groups=channels,
                          bias=False),
                nn.BatchNorm2d(channels))
            for k, d in branches)

    def forward(self, x):
        return sum(conv(x) for conv in self.convs)


class ShiftBranches(nn.Module):
    """A sum of depthwise convolutions of shifted maps: a large kernel out of small ones."""

    def __init__(self, channels, shifts=(-2, 0, 2)):
        super().__init__()
        self.shifts = shifts
        self.convs = nn.ModuleList(
            nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False)
            for _ in shifts)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x):
        return F.silu(self.norm(sum(conv(self.shifted(x, shift))
                                    for conv, shift in zip(self.convs, self.shifts))))

    @staticmethod
    def shifted(x, shift):
        before, after = max(shift, 0), max(-shift, 0)
        x = F.pad(x, (before, after, 0, 0))
        return x[..., after:] if after else x[..., :x.shape[-1] - before]


class DilatedIrmb(iRMB):
    def __init__(self, dim_in, *args, **kwargs):
        super().__init__(dim_in, *args, **kwargs)
        self.conv_local = DilatedBranches(self.proj.conv.in_channels)


class ShiftIrmb(iRMB):
    def __init__(self, dim_in, *args, **kwargs):
        super().__init__(dim_in, *args, **kwargs)
        self.conv_local = ShiftBranches(self.proj.conv.in_channels)


class ReluLocalIrmb(iRMB):
    """The local branch ends in ReLU instead of SiLU."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.conv_local.act = nn.ReLU()


class GroupedLocalIrmb(iRMB):
    """The local convolution mixes pairs of channels: it is not depthwise."""

    def __init__(self, *args, dw_ks=3, **kwargs):
        super().__init__(*args, dw_ks=dw_ks, **kwargs)
        channels = self.proj.conv.in_channels
        self.conv_local = ConvNormAct(channels, channels, dw_ks, groups=channels // 2,
                                      norm_layer="bn_2d", act_layer="silu")


class HardGateIrmb(iRMB):
    """Squeeze and excitation with a hard sigmoid as its gate."""

    def local(self, x):
        x = self.conv_local(x)
        gate = self.se.conv_expand(self.se.act1(self.se.conv_reduce(x.mean((2, 3), keepdim=True))))
        return x * F.hardsigmoid(gate)


# --- look-alikes ---------------------------------------------------------------------------------

class ContiguousWindows(PlainLayout):
    @staticmethod
    def partition(x, n1, n2):
        b, c, h, w = x.shape
        x = x.reshape(b, c, n1, h // n1, n2, w // n2).permute(0, 2, 4, 1, 3, 5)
        return x.reshape(b * n1 * n2, c, h // n1, w // n2)

    @staticmethod
    def unpartition(x, n1, n2):
        b, c, h, w = x.shape
        x = x.reshape(b // (n1 * n2), n1, n2, c, h, w).permute(0, 3, 1, 4, 2, 5)
        return x.reshape(b // (n1 * n2), c, h * n1, w * n2)


class InterleavedQk(PlainLayout):
    """q and k of one head lie side by side."""

    @staticmethod
    def split_qk(x, heads):
        b, c, h, w = x.shape
        x = x.reshape(b, heads, 2, c // (2 * heads), h * w).permute(2, 0, 1, 4, 3)
        return x


class InterleavedHeads(PlainLayout):
    """v's channels are split as (dim, heads)."""

    @staticmethod
    def split_heads(x, heads):
        b, c, h, w = x.shape
        return x.reshape(b, c // heads, heads, h * w).permute(0, 2, 3, 1)


class NormAfterPad(iRMB):
    """Padded tokens hold the shift of the norm instead of zero."""

    def forward(self, x):
        h, w = x.shape[2:]
        size = self.window_size
        pad_b, pad_r = (size - h % size) % size, (size - w % size) % size
        y = self.norm(self.layout.pad(x, pad_b, pad_r))
        y = self.windowed(y)[:, :, :h, :w]
        return x + self.proj(y + self.local(y))


class MaskedPadding(iRMB):
    """Padded tokens are kept out of the softmax."""

    def windowed(self, x):
        h, w = x.shape[2:]
        size = self.window_size
        pad_b, pad_r = (size - h % size) % size, (size - w % size) % size
        n1, n2 = (h + pad_b) // size, (w + pad_r) // size
        inside = self.layout.pad(torch.ones_like(x[:, :1]), pad_b, pad_r)
        inside = self.layout.partition(inside, n1, n2).flatten(2).unsqueeze(1)
        self.mask = (inside - 1) * 1e4
        return super().windowed(x)

    def weigh(self, q, k):
        return (q @ k.transpose(-2, -1) * self.scale + self.mask).softmax(dim=-1)


class ScaleFromChannels(iRMB):
    def __init__(self, dim_in, *args, **kwargs):
        super().__init__(dim_in, *args, **kwargs)
        self.scale = dim_in ** -0.5


class LearnedTemperature(iRMB):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.temperature = nn.Parameter(torch.empty(self.num_head, 1, 1))

    def weigh(self, q, k):
        return (q @ k.transpose(-2, -1) * self.temperature).softmax(dim=-1)


class ClampedSoftmax(iRMB):
    def weigh(self, q, k):
        return (q @ k.transpose(-2, -1) * self.scale).clamp(-0.5, 0.5).softmax(dim=-1)


class RenormalisedSoftmax(iRMB):
    """Weights below the mean are cut off, the rest is normalised again."""

    def weigh(self, q, k):
        weights = super().weigh(q, k)
        weights = F.relu(weights - weights.mean(-1, keepdim=True))
        return weights / (weights.sum(-1, keepdim=True) + 1e-6)


class SoftmaxOverQueries(iRMB):
    def weigh(self, q, k):
        return (q @ k.transpose(-2, -1) * self.scale).softmax(dim=-2)


class PositionBias(iRMB):
    """A learned bias on the logits of each head."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        tokens = self.window_size ** 2
        self.position_bias = nn.Parameter(torch.empty(self.num_head, tokens, tokens))

    def weigh(self, q, k):
        return (q @ k.transpose(-2, -1) * self.scale + self.position_bias).softmax(dim=-1)


class NormAfterProjection(iRMB):
    def __init__(self, dim_in, dim_out, *args, **kwargs):
        super().__init__(dim_in, dim_out, *args, **kwargs)
        self.proj.norm = nn.BatchNorm2d(dim_out)


class NoInnerResidual(iRMB):
    """The outer residual is kept, the inner one dropped."""

    def forward(self, x):
        return x + self.proj(self.local(self.windowed(self.norm(x))))


class ShortcutAfterNorm(iRMB):
    """The outer residual adds the normalised map."""

    def forward(self, x):
        x = self.norm(x)
        y = self.windowed(x)
        return x + self.proj(y + self.local(y))


class CascadedAttention(nn.Module):
    """Each head attends on its own channels plus what the head before it gave."""

    def __init__(self, channels, heads=2, dim_key=4):
        super().__init__()
        self.heads = heads
        self.dims = (dim_key, dim_key, channels // heads)
        self.qkvs = nn.ModuleList(nn.Conv2d(channels // heads, sum(self.dims), 1)
                                  for _ in range(heads))
        self.depthwise = nn.ModuleList(nn.Conv2d(dim_key, dim_key, 3, padding=1, groups=dim_key)
                                       for _ in range(heads))
        self.proj = nn.Conv2d(channels, channels, 1)

    def forward(self, x):
        h, w = x.shape[2:]
        carried, outputs = 0, []
        for part, qkv, depthwise in zip(x.chunk(self.heads, 1), self.qkvs, self.depthwise):
            q, k, v = qkv(part + carried).split(self.dims, dim=1)
            q, k, v = depthwise(q).flatten(2), k.flatten(2), v.flatten(2)
            weights = (q.transpose(-2, -1) @ k * self.dims[0] ** -0.5).softmax(-1)
            carried = (v @ weights.transpose(-2, -1)).reshape(-1, self.dims[2], h, w)
            outputs.append(carried)
        return x + self.proj(F.relu(torch.cat(outputs, 1)))


class CascadedIrmb(iRMB):
    """An iRMB whose window attention is the cascaded one."""

    def __init__(self, dim_in, *args, **kwargs):
        super().__init__(dim_in, *args, **kwargs)
        self.cascade = CascadedAttention(dim_in)

    def attention(self, x):
        return self.cascade(x)


class MultiScaleAttention(nn.Module):
    """Grouped attention from pooled rows, columns and maps (after EMA, arXiv 2305.13563)."""

    def __init__(self, channels, groups=4):
        super().__init__()
        self.groups = groups
        width = channels // groups
        self.norm = nn.GroupNorm(width, width)
        self.conv1x1 = nn.Conv2d(width, width, 1)
        self.conv3x3 = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x):
        b, c, h, w = x.shape
        g = x.reshape(b * self.groups, c // self.groups, h, w)
        rows, columns = g.mean(3, keepdim=True), g.mean(2, keepdim=True).permute(0, 1, 3, 2)
        rows, columns = self.conv1x1(torch.cat([rows, columns], 2)).split([h, w], dim=2)
        near = self.norm(g * rows.sigmoid() * columns.permute(0, 1, 3, 2).sigmoid())
        far = self.conv3x3(g)
        weights = self.cross(near, far) + self.cross(far, near)
        return (g * weights.reshape(b * self.groups, 1, h, w).sigmoid()).reshape(b, c, h, w)

    @staticmethod
    def cross(a, b):
        return a.mean((2, 3)).unsqueeze(1).softmax(-1) @ b.flatten(2)


class MultiScaleIrmb(iRMB):
    """An iRMB whose window attention is the multi-scale one."""

    def __init__(self, dim_in, *args, **kwargs):
        super().__init__(dim_in, *args, **kwargs)
        self.multi_scale = MultiScaleAttention(dim_in)

    def attention(self, x):
        return self.multi_scale(x)


class PlainAttention(nn.Module):
    """Multi-head self-attention over all pixels, with linear layers."""

    def __init__(self, channels, heads=2):
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(channels)
        self.qkv = nn.Linear(channels, 3 * channels)
        self.proj = nn.Linear(channels, channels)

    def forward(self, x):
        b, c, h, w = x.shape
        t = self.norm(x.flatten(2).transpose(1, 2))
        q, k, v = self.qkv(t).reshape(b, h * w, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4)
        weights = (q @ k.transpose(-2, -1) * (c // self.heads) ** -0.5).softmax(-1)
        t = self.proj((weights @ v).transpose(1, 2).reshape(b, h * w, c))
        return x + t.transpose(1, 2).reshape(b, c, h, w)


class MobileBlock(nn.Module):
    """An inverted residual of MobileNet: expand, depthwise, project; no attention."""

    def __init__(self, channels, ratio=2):
        super().__init__()
        inner = channels * ratio
        self.expand = ConvNormAct(channels, inner, 1, norm_layer="bn_2d", act_layer="silu")
        self.depthwise = ConvNormAct(inner, inner, 3, groups=inner, norm_layer="bn_2d",
                                     act_layer="silu")
        self.se = SqueezeExcite(inner, 0.25, "silu")
        self.project = ConvNormAct(inner, channels, 1, norm_layer="bn_2d")

    def forward(self, x):
        return x + self.project(self.se(self.depthwise(self.expand(x))))
