"""The mathematics of an iRMB in other words: every one of these is a true iRMB.

What forks write differently from irmb.py without changing the result.
"""
import torch
from torch import nn
from torch.nn import functional as F

from .irmb import iRMB


class HardSwishByRelu6(nn.Module):
    def forward(self, x):
        return x * F.relu6(x + 3.0) / 6.0


class HardSwishByGate(nn.Module):
    def forward(self, x):
        return x * (F.relu6(x + 3.0).div(6.0))


class HardSigmoidByRelu6(nn.Module):
    def forward(self, x):
        return F.relu6(x + 3.0) / 6.0


class SiluBySigmoid(nn.Module):
    def forward(self, x):
        return x.mul(x.sigmoid())


class MishBySoftplus(nn.Module):
    def forward(self, x):
        return x.mul(F.softplus(x).tanh())


class GeluByErf(nn.Module):
    def forward(self, x):
        return x * 0.5 * (1.0 + torch.erf(x * 0.7071067811865476))


class Relu6ByClamp(nn.Module):
    def forward(self, x):
        return torch.clamp(x, 0.0, 6.0)


class TanhGelu(nn.GELU):
    """Not exact: an activation that iRMB does not have."""

    def __init__(self):
        super().__init__(approximate="tanh")


class ChannelNorm(nn.Module):
    """Layer normalisation over channels with mean, square and square root written out."""

    def __init__(self, channels, eps=1e-6):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.eps = eps

    def forward(self, x):
        mean = x.mean(1, keepdim=True)
        variance = (x - mean).pow(2).mean(1, keepdim=True)
        x = (x - mean) / torch.sqrt(variance + self.eps)
        return self.weight[:, None, None] * x + self.bias[:, None, None]


class ChannelNormIrmb(iRMB):
    def __init__(self, dim_in, *args, **kwargs):
        super().__init__(dim_in, *args, **kwargs)
        self.norm = ChannelNorm(dim_in)


class ScaledQueries(iRMB):
    """The scale multiplies q before the product."""

    def weigh(self, q, k):
        return ((q * self.scale) @ k.transpose(-2, -1)).softmax(dim=-1)


class DividedLogits(iRMB):
    """The logits are divided by the root of dim_head."""

    def weigh(self, q, k):
        return F.softmax(torch.matmul(q, k.transpose(-2, -1)) / self.scale ** -1, dim=-1)


class ScaledKeys(iRMB):
    def weigh(self, q, k):
        return (q @ (k * self.scale).transpose(-2, -1)).softmax(dim=-1)


class EinsumAttention(iRMB):
    def attention(self, x):
        h, w = x.shape[2:]
        q, k = self.queries_and_keys(x)
        weights = (torch.einsum("bgnd,bgmd->bgnm", q, k) * self.scale).softmax(-1)
        v = self.layout.split_heads(self.v(x), self.num_head)
        return self.layout.join_heads(torch.einsum("bgnm,bgmd->bgnd", weights, v), h, w)


class LibraryAttention(iRMB):
    """Uses scaled_dot_product_attention."""

    def attention(self, x):
        h, w = x.shape[2:]
        q, k = self.queries_and_keys(x)
        v = self.layout.split_heads(self.v(x), self.num_head)
        return self.layout.join_heads(F.scaled_dot_product_attention(q, k, v), h, w)


class TransposedAttention(iRMB):
    """Channels before tokens throughout, as in YOLOv10's attention: v A^T instead of A v."""

    def attention(self, x):
        b, _, h, w = x.shape
        q, k = self.qk(x).reshape(b, 2, self.num_head, -1, h * w).unbind(1)
        weights = (q.transpose(-2, -1) @ k * self.scale).softmax(-1)
        v = self.v(x).reshape(b, self.num_head, -1, h * w)
        return (v @ weights.transpose(-2, -1)).reshape(b, -1, h, w)


class UnboundQk(iRMB):
    def queries_and_keys(self, x):
        return self.layout.split_qk(self.qk(x), self.num_head).unbind(0)


class ThreeWayQkv(iRMB):
    """q, k and v from one convolution, cut apart afterwards; v's activation comes after the cut."""

    def __init__(self, dim_in, *args, **kwargs):
        super().__init__(dim_in, *args, **kwargs)
        self.qkv = nn.Conv2d(dim_in, 3 * dim_in, 1, bias=False)

    def attention(self, x):
        h, w = x.shape[2:]
        parts = self.qkv(x).chunk(3, 1)
        q, k, v = (self.layout.split_heads(p, self.num_head)
                   for p in (parts[0], parts[1], self.v.act(parts[2])))
        return self.layout.join_heads(self.weigh(q, k) @ v, h, w)


class SeparateQandK(iRMB):
    """q and k from a convolution each."""

    def __init__(self, dim_in, *args, **kwargs):
        super().__init__(dim_in, *args, **kwargs)
        self.q = nn.Conv2d(dim_in, dim_in, 1, bias=False)
        self.k = nn.Conv2d(dim_in, dim_in, 1, bias=False)

    def queries_and_keys(self, x):
        return [self.layout.split_heads(conv(x), self.num_head) for conv in (self.q, self.k)]


class NormedV(iRMB):
    """A batch norm behind v's convolution: folded, v alone has a bias."""

    def __init__(self, dim_in, *args, **kwargs):
        super().__init__(dim_in, *args, **kwargs)
        self.v.norm = nn.BatchNorm2d(self.v.conv.out_channels)


class NormedQk(iRMB):
    """A batch norm behind qk: folded, q and k have a bias and v has none."""

    def __init__(self, dim_in, *args, **kwargs):
        super().__init__(dim_in, *args, **kwargs)
        self.qk.norm = nn.BatchNorm2d(2 * dim_in)


class PooledSqueeze(iRMB):
    """Squeeze and excitation by adaptive average pooling."""

    def local(self, x):
        x = self.conv_local(x)
        squeezed = F.adaptive_avg_pool2d(x, 1)
        return x * self.se.conv_expand(self.se.act1(self.se.conv_reduce(squeezed))).sigmoid()


class SwappedSums(iRMB):
    """Operands of the residual sums the other way round."""

    def forward(self, x):
        y = self.windowed(self.norm(x))
        return self.proj(self.local(y) + y) + x


class SlopePerChannel(iRMB):
    """PReLU with one slope a channel."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, act_layer="prelu", **kwargs)
        self.v.act = nn.PReLU(self.v.conv.out_channels)


class TokenLinear(iRMB):
    """q, k and v by linear layers on tokens instead of 1x1 convolutions."""

    def attention(self, x):
        b, c, h, w = x.shape
        tokens = x.flatten(2).transpose(1, 2)
        qk = F.linear(tokens, self.qk.conv.weight.flatten(1))
        q, k = qk.reshape(b, h * w, 2, self.num_head, -1).permute(2, 0, 3, 1, 4)
        v = self.v.act(F.linear(tokens, self.v.conv.weight.flatten(1)))
        v = v.reshape(b, h * w, self.num_head, -1).transpose(1, 2)
        y = (self.weigh(q, k) @ v).transpose(1, 2).reshape(b, h * w, -1)
        return y.transpose(1, 2).reshape(b, -1, h, w)
