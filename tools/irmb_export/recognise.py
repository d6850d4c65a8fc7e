"""Rebuilds iRMBs that a checkpoint holds as irmb.iRMB from their state, and tells what may differ."""
import copy
import itertools
import numbers

import torch
from torch import nn

from .checkpoint import CheckpointError
from .irmb import ConvNormAct, iRMB
from .layout import StaticLayout
from .node import fold_batch_norm
from .parts import is_passive, names_of, parts_of, renamed, rows, stack

# Classes whose forward() is known: the published block, and relatives with another local branch.
KNOWN_CLASSES = {"irmb", "irmbdrb", "irmbswc"}
NEUTRAL_WORDS = ("block", "module", "layer")  # in the name of a class that is still the same
# Attributes that say nothing that the parts do not say: what constructors keep of their arguments,
# and what Ultralytics notes on each layer.
SILENT = {
    "dim_in", "dim_out", "dim_mid", "dim", "norm_in", "exp_ratio", "norm_layer", "act_layer", "v_proj",
    "dw_ks", "stride", "dilation", "se_ratio", "qkv_bias", "qk_bias", "v_group", "inplace", "drop",
    "attn_drop", "drop_path", "proj_drop", "drop_rate", "i", "f", "type", "np", "training", "c1", "c2",
    "in_channels", "out_channels", "channels", "kernel_size"}
HEAD_SIZE, HEADS = ("dim_head", "head_dim"), ("num_head", "num_heads", "heads")
WINDOW = ("window_size", "win_size", "ws")
READ = {"has_skip", "attn_s", "attn_pre", "scale", *HEAD_SIZE, *HEADS, *WINDOW}


class NotAnIrmb(CheckpointError):
    """A module with parts of an iRMB that is none; the message says what differs."""


def attribute(module, *names, default=None):
    """The first of the attributes `names` that the module has."""
    for name in names:
        if name in module.__dict__:
            return module.__dict__[name]
    return default


def serves_a_part(child, module):
    """Whether a child is also inside a part: some forks keep the activation that v shares."""
    return any(child is inner for part in parts_of(module).values() for inner in part.modules())


def foreign_traits(module):
    """What a module has that an iRMB does not, in words."""
    parts = set(names_of(module).values())
    traits = [name for name, child in module._modules.items()
              if name not in parts and not is_passive(child) and not serves_a_part(child, module)]
    traits += list(module._parameters) + list(module._buffers)
    return traits + [name for name, value in module.__dict__.items()
                     if isinstance(value, (torch.Tensor, nn.Module)) and name not in SILENT | READ]


def unknown_attributes(module):
    """Plain attributes that no iRMB has and that may switch something on, as `name = value`."""
    return [f"{name} = {value!r}" for name, value in sorted(module.__dict__.items())
            if not name.startswith("_") and name not in SILENT | READ
            and not isinstance(value, (torch.Tensor, nn.Module)) and value]


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


def local_branch(module):
    """The local branch as one unit where it is one, for the node; else as it is."""
    try:
        return conv_unit(module)
    except NotAnIrmb:
        return module


def channels_in(module):
    """Channels of the map that an iRMB takes: those of its first convolution."""
    parts = parts_of(module)
    for name in ("qk", "q", "qkv", "v", "conv_local"):
        for part in parts.get(name, nn.Identity()).modules():
            if isinstance(part, nn.Conv2d):
                return part.in_channels
    raise NotAnIrmb("it has no convolution")


def window_side(module):
    side = attribute(module, *WINDOW)
    if isinstance(side, (tuple, list)) and len(set(side)) == 1:
        side = side[0]
    if not isinstance(side, numbers.Integral):
        raise NotAnIrmb(f"its window_size is {side!r}, not a whole number")
    return int(side)


def head_size(module, channels):
    size, heads = attribute(module, *HEAD_SIZE), attribute(module, *HEADS)
    if size is None and heads is not None:
        size = channels // heads
    if not isinstance(size, numbers.Integral) or size < 1 or channels % size:
        raise NotAnIrmb(f"its heads are unknown: dim_head is {size!r} with {channels} channels")
    if heads is not None and heads * size != channels:
        raise NotAnIrmb(f"{heads} heads of {size} channels do not make {channels}")
    return int(size)


def scale_queries(qk, channels, factor):
    """Multiplies the part of qk that gives q."""
    qk.conv = copy.deepcopy(qk.conv)  # the module that it came from keeps its own
    with torch.no_grad():
        qk.conv.weight[:channels] *= factor
        if qk.conv.bias is not None:
            qk.conv.bias[:channels] *= factor


def queries_keys_values(parts, channels):
    """(qk, v) as units, out of qk and v, q, k and v, or qkv."""
    unit = ConvNormAct(1, 1, 1)
    if "qkv" in parts:
        conv = pointwise(parts["qkv"], "qkv").conv
        if conv.groups != 1 or conv.out_channels <= 2 * channels:
            raise NotAnIrmb(f"qkv makes {conv.out_channels} channels out of {channels}")
        values = copy.deepcopy(unit)
        unit.conv = rows(conv, 0, 2 * channels)
        values.conv = rows(conv, 2 * channels, conv.out_channels)
        return unit, values
    if "v" not in parts or not ("qk" in parts or {"q", "k"} <= set(parts)):
        raise NotAnIrmb("it lacks q, k or v")
    values = pointwise(parts["v"], "v", may_act=True)
    if "qk" in parts:
        return pointwise(parts["qk"], "qk"), values
    convs = [pointwise(parts[name], name).conv for name in "qk"]
    if any(conv.groups != 1 for conv in convs):
        raise NotAnIrmb("q or k is a grouped convolution")
    unit.conv = stack(*convs)
    return unit, values


def set_attention(block, module, channels):
    """Gives `block` the window attention of `module`."""
    block.qk, block.v = queries_keys_values(parts_of(module), channels)
    if block.qk.conv.out_channels != 2 * channels or block.qk.conv.groups != 1:
        raise NotAnIrmb(f"qk makes {block.qk.conv.out_channels} channels out of {channels}")
    if block.v.conv.groups not in (1, block.num_head):
        raise NotAnIrmb(f"v has {block.v.conv.groups} groups and {block.num_head} heads")
    if block.v.conv.out_channels % block.num_head:
        raise NotAnIrmb("the heads do not divide v's channels")
    scale = attribute(module, "scale", default=block.scale)
    if not isinstance(scale, numbers.Real):
        raise NotAnIrmb(f"its scale is a {type(scale).__name__}")
    if abs(scale / block.scale - 1) > 1e-6:
        scale_queries(block.qk, channels, scale / block.scale)


def attends(module):
    return bool(attribute(module, "attn_s", default=bool({"qk", "q", "qkv"} & set(parts_of(module)))))


def needed_parts(module):
    """parts_of(module), or NotAnIrmb without what every iRMB has."""
    parts = parts_of(module)
    lacking = [name for name in ("conv_local", "proj") if name not in parts]
    if lacking:
        raise NotAnIrmb(f"its {' and '.join(lacking)} do nothing")
    return parts


def may_skip(module):
    """Whether the output of a module has the size of its input."""
    parts = needed_parts(module)
    strides = [conv.stride for conv in parts["conv_local"].modules() if isinstance(conv, nn.Conv2d)]
    same = channels_in(module) == pointwise(parts["proj"], "proj").conv.out_channels
    return same and all(stride in (1, (1, 1)) for stride in strides)


def unstated(module):
    """Names of what decides about the result and is not among the module's attributes."""
    asked = ["attn_pre", "scale"] if attends(module) else []
    asked += ["has_skip"] if may_skip(module) else []
    return [name for name in asked if name not in module.__dict__]


def plain_name(module):
    """The name of a module's class in small letters, without what says nothing."""
    name = type(module).__name__.lower().replace("_", "")
    for word in NEUTRAL_WORDS:
        name = name.replace(word, "")
    return name


def has_known_name(module):
    return plain_name(module) in KNOWN_CLASSES


def doubts(module):
    """Why a module with an iRMB's parts may compute something else, in words. Its code could tell. A
    class of quite another name may well be an iRMB; one that is called after it says that it
    differs."""
    varies = "irmb" in plain_name(module) and not has_known_name(module)
    found = [f"{type(module).__name__} is called as a variant of iRMB"] if varies else []
    found += [f"it calls its parts {', '.join(names)}" for names in [renamed(module)] if names]
    found += [f"it does not say its {name}" for name in unstated(module)]
    return found + [f"it has {attribute}" for attribute in unknown_attributes(module)]


def guesses(module):
    """All that a module may have meant by what it does not say; the likeliest first."""
    choices = {"attn_pre": (False, True), "has_skip": (True, False)}
    names = [name for name in choices if name in unstated(module)]
    for values in itertools.product(*(choices[name] for name in names)):
        yield dict(zip(names, values))


def rebuild(module, guess=()):
    """An iRMB from a module whose parts run already. `guess`: what its attributes do not say. Raises
    NotAnIrmb with the difference."""
    said = {**dict(guess), **module.__dict__}
    traits = foreign_traits(module)
    if traits:
        raise NotAnIrmb("it has " + ", ".join(sorted(traits)) + ", which no iRMB has")
    parts = needed_parts(module)
    proj = pointwise(parts["proj"], "proj")
    channels, attention = channels_in(module), attends(module)
    block = iRMB(channels, proj.conv.out_channels, norm_layer="none", attn_s=False, v_proj=False,
                 dim_head=head_size(module, channels) if attention else 1,
                 window_size=window_side(module) if attention else 0, layout=StaticLayout)
    block.attn_s, block.attn_pre = attention, bool(said.get("attn_pre", False))
    block.has_skip = bool(said.get("has_skip", may_skip(module)))
    block.norm = parts.get("norm", block.norm)
    if attention:
        set_attention(block, module, channels)
    elif "v" in parts:
        block.v = pointwise(parts["v"], "v", may_act=True)
    block.conv_local, block.proj = local_branch(parts["conv_local"]), proj
    block.se = parts.get("se", block.se)
    return block.eval().requires_grad_(False)
