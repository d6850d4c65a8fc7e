"""Finds iRMBs among the modules of a checkpoint, whatever their classes are called, and rebuilds them
as irmb.iRMB from their state."""
import numbers

import torch
from torch import nn

from .checkpoint import CheckpointError
from .irmb import ConvNormAct, iRMB
from .layout import StaticLayout
from .node import fold_batch_norm

PARTS = {"norm", "qk", "v", "conv_local", "se", "proj"}
# Attributes that say nothing that the parts do not say: what constructors keep of their arguments,
# and what Ultralytics notes on each layer.
SILENT = {
    "dim_in", "dim_out", "dim_mid", "dim", "norm_in", "exp_ratio", "norm_layer", "act_layer", "v_proj",
    "dw_ks", "stride", "dilation", "se_ratio", "qkv_bias", "qk_bias", "v_group", "inplace", "drop",
    "attn_drop", "drop_path", "proj_drop", "drop_rate", "i", "f", "type", "np", "training", "c1", "c2"}
READ = {"has_skip", "attn_s", "attn_pre", "dim_head", "head_dim", "num_head", "num_heads", "window_size",
        "scale"}


class NotAnIrmb(CheckpointError):
    """A module with parts of an iRMB that is none; the message says what differs."""


def is_passive(module):
    """Whether a module does nothing at inference."""
    name = type(module).__name__.lower()
    return module is None or isinstance(module, nn.Identity) or \
        "drop" in name and not list(module.parameters())


def resembles_irmb(module):
    """Whether a module is built of an iRMB's parts."""
    names = set(module._modules)
    return {"conv_local", "proj"} <= names and bool(names & {"qk", "v"})


def attribute(module, *names, default=None):
    """The first of the attributes `names` that the module has."""
    for name in names:
        if name in module.__dict__:
            return module.__dict__[name]
    return default


def foreign_traits(module):
    """What a module has that an iRMB does not, in words; and plain attributes without a meaning."""
    traits = [name for name, child in module._modules.items()
              if name not in PARTS and not is_passive(child)]
    traits += list(module._parameters) + list(module._buffers)
    unknown = []
    for name, value in module.__dict__.items():
        if name.startswith("_") or name in SILENT | READ:
            continue
        if isinstance(value, (torch.Tensor, nn.Module)):
            traits.append(name)
        elif value is not None:
            unknown.append(name)
    return traits, unknown


def flatten(module):
    """The steps of a convolution unit: the module itself, or what a wrapper or a Sequential holds."""
    if is_passive(module):
        return []
    if isinstance(module, (nn.Conv2d, nn.modules.batchnorm._BatchNorm)) or not module._modules:
        return [module]
    if not isinstance(module, nn.Sequential) and not set(module._modules) <= {
            "conv", "norm", "bn", "act", "drop", "drop_path"}:
        raise NotAnIrmb(f"a {type(module).__name__} of {', '.join(module._modules)}")
    if attribute(module, "has_skip", default=False):
        raise NotAnIrmb("a convolution with a shortcut of its own")
    return [step for child in module._modules.values() for step in flatten(child)]


def fold(conv, norm):
    """A convolution that does what `conv` and then the batch norm do."""
    scale, shift = fold_batch_norm(norm)
    folded = nn.Conv2d(conv.in_channels, conv.out_channels, conv.kernel_size, conv.stride,
                       conv.padding, conv.dilation, conv.groups, padding_mode=conv.padding_mode)
    folded.weight.data = conv.weight * scale[:, None, None, None]
    folded.bias.data = shift if conv.bias is None else shift + conv.bias * scale
    return folded


def conv_unit(module):
    """A unit as ConvNormAct with the batch norm folded in, or raises NotAnIrmb."""
    steps = flatten(module)
    if not steps or not isinstance(steps[0], nn.Conv2d):
        raise NotAnIrmb(f"a {type(module).__name__} that does not begin with a convolution")
    conv, rest = steps[0], steps[1:]
    if rest and isinstance(rest[0], nn.modules.batchnorm._BatchNorm):
        conv, rest = fold(conv, rest[0]), rest[1:]
    if len(rest) > 1:
        raise NotAnIrmb("a convolution followed by " + ", ".join(type(s).__name__ for s in rest))
    unit = ConvNormAct(1, 1, 1)
    unit.conv = conv
    unit.act = rest[0] if rest else nn.Identity()
    return unit


def pointwise(module, what, may_act=False):
    """The unit of a 1x1 convolution."""
    unit = conv_unit(module)
    conv = unit.conv
    if conv.kernel_size != (1, 1) or conv.stride != (1, 1) or conv.padding not in ((0, 0), 0):
        raise NotAnIrmb(f"{what} is no 1x1 convolution")
    if not may_act and not isinstance(unit.act, nn.Identity):
        raise NotAnIrmb(f"{what} has an activation, {type(unit.act).__name__}")
    return unit


def channels_in(module):
    """Channels of the map that an iRMB takes: those of its first convolution."""
    for name in ("qk", "v", "conv_local"):
        for part in module._modules.get(name, nn.Identity()).modules():
            if isinstance(part, nn.Conv2d):
                return part.in_channels
    raise NotAnIrmb("it has no convolution")


def window_side(module):
    side = attribute(module, "window_size", default=None)
    if isinstance(side, (tuple, list)) and len(set(side)) == 1:
        side = side[0]
    if not isinstance(side, numbers.Integral):
        raise NotAnIrmb(f"its window_size is {side!r}, not a whole number")
    return int(side)


def head_size(module, channels):
    size = attribute(module, "dim_head", "head_dim")
    heads = attribute(module, "num_head", "num_heads")
    if size is None and heads is not None:
        size = channels // heads
    if not isinstance(size, numbers.Integral) or size < 1 or channels % size:
        raise NotAnIrmb(f"its heads are unknown: dim_head is {size!r} with {channels} channels")
    if heads is not None and heads * size != channels:
        raise NotAnIrmb(f"{heads} heads of {size} channels do not make {channels}")
    return int(size)


def scale_queries(qk, channels, factor):
    """Multiplies the part of qk that gives q."""
    with torch.no_grad():
        qk.conv.weight[:channels] *= factor
        if qk.conv.bias is not None:
            qk.conv.bias[:channels] *= factor


def set_attention(block, module, channels):
    """Gives `block` the window attention of `module`."""
    block.qk = pointwise(module.qk, "qk")
    block.v = pointwise(module.v, "v", may_act=True)
    if block.qk.conv.out_channels != 2 * channels or block.qk.conv.groups != 1:
        raise NotAnIrmb(f"qk makes {block.qk.conv.out_channels} channels out of {channels}")
    if block.v.conv.groups not in (1, block.num_head):
        raise NotAnIrmb(f"v has {block.v.conv.groups} groups and {block.num_head} heads")
    if block.v.conv.out_channels % block.num_head:
        raise NotAnIrmb("the heads do not divide v's channels")
    block.attn_pre = bool(attribute(module, "attn_pre", default=False))
    scale = attribute(module, "scale", default=block.scale)
    if not isinstance(scale, numbers.Real):
        raise NotAnIrmb(f"its scale is a {type(scale).__name__}")
    if abs(scale / block.scale - 1) > 1e-6:
        scale_queries(block.qk, channels, scale / block.scale)


def rebuild(module):
    """(iRMB, remarks) from a module whose parts run already. Raises NotAnIrmb with the difference."""
    traits, unknown = foreign_traits(module)
    if traits:
        raise NotAnIrmb("it has " + ", ".join(sorted(traits)) + ", which no iRMB has")
    proj = pointwise(module.proj, "proj")
    attends = bool(attribute(module, "attn_s", default="qk" in module._modules))
    channels, dim_out = channels_in(module), proj.conv.out_channels
    size = head_size(module, channels) if attends else 1
    block = iRMB(channels, dim_out, norm_layer="none", attn_s=False, v_proj=False, dim_head=size,
                 window_size=window_side(module) if attends else 0, layout=StaticLayout)
    block.attn_s = attends
    block.has_skip = bool(attribute(module, "has_skip", default=channels == dim_out))
    if not is_passive(module._modules.get("norm")):
        block.norm = module.norm
    if attends:
        set_attention(block, module, channels)
    elif not is_passive(module._modules.get("v")):
        block.v = pointwise(module.v, "v", may_act=True)
    block.conv_local = module.conv_local
    if not is_passive(module._modules.get("se")):
        block.se = module.se
    block.proj = proj
    remarks = [f"its {name} means nothing to an iRMB" for name in sorted(unknown)]
    return block.eval().requires_grad_(False), remarks
