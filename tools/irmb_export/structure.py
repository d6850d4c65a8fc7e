"""Gives the modules of a checkpoint a forward() by their class name and structure, without their code."""
import torch
from torch import nn

from . import yolo
from .checkpoint import CheckpointError, Foreign, class_path
from .irmb import ACTIVATIONS, ConvNormAct, LayerNorm2d, SqueezeExcite
from .parts import is_passive, resembles_irmb
from .recognise import NotAnIrmb, channels_in, doubts, guesses, has_known_name, rebuild

LOOSE_ACTIVATIONS = {name.replace("_", ""): kind for name, kind in {
    **ACTIVATIONS, "swishme": nn.SiLU, "swishjit": nn.SiLU, "hardswish": nn.Hardswish,
    "hardswishme": nn.Hardswish, "hardsigmoid": nn.Hardsigmoid, "hardsigmoidme": nn.Hardsigmoid,
}.items()}
LOOSE_ACTIVATIONS.pop("none")
LOOSE_ACTIVATIONS.pop("prelu")


class BareConv(nn.Module):
    """A Conv whose batch norm was folded in."""

    def forward(self, x):
        return self.act(self.conv(x))


class RepVggDw(nn.Module):
    """A large and a small depthwise convolution side by side."""

    def forward(self, x):
        return self.act(self.conv(x) + self.conv1(x))


class Cib(nn.Module):
    def forward(self, x):
        return x + self.cv1(x) if self.add else self.cv1(x)


class BottleneckPlus(nn.Module):
    """A bottleneck with one more module behind its convolutions, `plus`."""

    def forward(self, x):
        y = self._modules[self.plus](self.cv2(self.cv1(x)))
        return x + y if self.add else y


class C3(nn.Module):
    def forward(self, x):
        y = self.cv1(x)
        for block in self.m:
            y = block(y)
        return self.cv3(torch.cat((y, self.cv2(x)), 1))


class C2Psa(nn.Module):
    def forward(self, x):
        a, b = self.cv1(x).chunk(2, 1)
        return self.cv2(torch.cat((a, self.m(b)), 1))


class PsaBlock(nn.Module):
    def forward(self, x):
        x = x + self.attn(x) if self.add else self.attn(x)
        return x + self.ffn(x) if self.add else self.ffn(x)


class Concat(nn.Module):
    def forward(self, x):
        return torch.cat(x, self.d)


class DilatedReparam(nn.Module):
    """A large depthwise convolution and dilated ones beside it, each with a batch norm (UniRepLKNet)."""

    def forward(self, x):
        if "origin_bn" not in self._modules:
            return self.lk_origin(x)
        y = self.origin_bn(self.lk_origin(x))
        for k, r in zip(self.kernel_sizes, self.dilates):
            y = y + self._modules[f"dil_bn_k{k}_{r}"](self._modules[f"dil_conv_k{k}_{r}"](x))
        return y


# Class: the names that modules of that kind go by (None: any), the children that they have, and
# the attributes that they need.
KINDS = [
    (yolo.Conv, None, {"conv", "bn", "act"}, set()),
    (ConvNormAct, None, {"conv", "norm", "act"}, set()),
    (BareConv, {"Conv", "DWConv", "RepVGGDW", "ConvNormAct"}, {"conv", "act"}, set()),
    (RepVggDw, {"RepVGGDW"}, {"conv", "conv1", "act"}, set()),
    (yolo.SCDown, {"SCDown"}, {"cv1", "cv2"}, set()),
    (yolo.Bottleneck, None, {"cv1", "cv2"}, {"add"}),
    (Cib, {"CIB"}, {"cv1"}, {"add"}),
    (C3, {"C3", "C3k", "C3x", "C3_iRMB", "C3_iRMB_DRB", "C3_iRMB_SWC"}, {"cv1", "cv2", "cv3", "m"},
     set()),
    (yolo.SPPF, {"SPPF"}, {"cv1", "cv2", "m"}, set()),
    (C2Psa, {"C2PSA"}, {"cv1", "cv2", "m"}, set()),
    (PsaBlock, {"PSABlock"}, {"attn", "ffn"}, {"add"}),
    (yolo.PSA, {"PSA"}, {"cv1", "cv2", "attn", "ffn"}, set()),
    (yolo.Attention, {"Attention"}, {"qkv", "proj", "pe"}, {"num_heads", "head_dim", "key_dim", "scale"}),
    (yolo.DFL, {"DFL"}, {"conv"}, set()),
    (Concat, {"Concat"}, set(), {"d"}),
    (SqueezeExcite, None, {"conv_reduce", "act1", "conv_expand"}, set()),
    (LayerNorm2d, {"LayerNorm2d"}, {"norm"}, set()),
]


def has_sigmoid_gate(module):
    return isinstance(module._modules.get("gate"), (nn.Sigmoid, type(None)))


def is_c2f(module):
    """Whether a module of cv1, cv2 and m splits, chains and joins as C2f does, whatever it chains."""
    c = module.__dict__.get("c")
    convs = [next((m for m in module._modules[name].modules() if isinstance(m, nn.Conv2d)), None)
             for name in ("cv1", "cv2")]
    return isinstance(module.m, nn.ModuleList) and None not in convs and c is not None and \
        convs[0].out_channels == 2 * c and convs[1].in_channels == (2 + len(module.m)) * c


def kind_of(module):
    """The class that computes what `module` does, or None."""
    name = type(module).__name__
    children = {n for n, child in module._modules.items()
                if not (n.startswith("drop") and is_passive(child))} - {"gate"}
    for kind, names, parts, attributes in KINDS:
        if children == parts and (names is None or name in names) and \
                attributes <= set(module.__dict__):
            if kind is ConvNormAct and module.__dict__.get("has_skip"):
                continue
            return kind if kind is not SqueezeExcite or has_sigmoid_gate(module) else None
    if children == {"cv1", "cv2", "m"} and is_c2f(module):
        return yolo.C2f
    if {"lk_origin"} <= children and {"kernel_sizes", "dilates"} <= set(module.__dict__):
        return DilatedReparam
    return None


def channel_norm(module):
    """LayerNorm2d from a norm that keeps weight and bias itself, or None."""
    weights = dict(module.named_parameters(recurse=False))
    plain = set(weights) == {"weight", "bias"} and weights["weight"].dim() == 1
    first = module.__dict__.get("data_format", "channels_first") == "channels_first"
    if "layernorm" not in type(module).__name__.lower() or not (plain and first):
        return None
    norm = LayerNorm2d(len(weights["weight"]), module.__dict__.get("eps", 1e-6))
    norm.norm.weight, norm.norm.bias = module.weight, module.bias
    return norm


def squeeze_excite(module):
    """SqueezeExcite from one with linear layers, SEAttention by name, or None."""
    pool, fc = (module._modules.get(name) for name in ("avg_pool", "fc"))
    steps = list(fc) if isinstance(fc, nn.Sequential) else []
    if type(module).__name__ not in {"SEAttention", "SELayer", "SEBlock"} \
            or set(module._modules) != {"avg_pool", "fc"} \
            or getattr(pool, "output_size", 0) not in (1, (1, 1)) or len(steps) != 4 \
            or not all(isinstance(steps[i], nn.Linear) for i in (0, 2)) \
            or not isinstance(steps[3], nn.Sigmoid):
        return None
    se = SqueezeExcite(steps[0].in_features, 1, nn.Identity)
    se.conv_reduce, se.act1, se.conv_expand = pixelwise(steps[0]), steps[1], pixelwise(steps[2])
    return se


def pixelwise(linear):
    """A linear layer as a 1x1 convolution."""
    conv = nn.Conv2d(linear.in_features, linear.out_features, 1, bias=linear.bias is not None)
    conv.weight.data = linear.weight.data[:, :, None, None].clone()
    if linear.bias is not None:
        conv.bias.data = linear.bias.data.clone()
    return conv


# Bottlenecks that are known to put their third module last. Another class may have it between the
# convolutions: its parts look the same.
PLUS_LAST = {"Bottleneck", "Bottleneck_iRMB", "Bottleneck_Attention"}


def bottleneck_plus(module):
    """The name of the one child of a bottleneck besides cv1 and cv2, or None."""
    children = [name for name, child in module._modules.items() if not is_passive(child)]
    if type(module).__name__ in PLUS_LAST and children[:2] == ["cv1", "cv2"] and len(children) == 3 \
            and "add" in module.__dict__:
        return children[2]
    return None


def without_code(module):
    """A module that does what the Foreign module `module` did, or the same if that is unknown."""
    name = type(module).__name__.lower().replace("_", "")
    if not module._modules and not module._parameters and name in LOOSE_ACTIVATIONS:
        return LOOSE_ACTIVATIONS[name]()
    if name == "prelu" and set(module._parameters) == {"weight"}:
        act = nn.PReLU()
        act.weight = module.weight
        return act
    if not module._modules and is_passive(module):
        return nn.Identity()
    for rewritten in (channel_norm(module), squeeze_excite(module)):
        if rewritten is not None:
            return rewritten
    kind = kind_of(module)
    if kind is None and bottleneck_plus(module):
        kind, module.plus = BottleneckPlus, bottleneck_plus(module)
    if kind is not None:
        module.__class__ = kind
    return module


def complete(module):
    """Sets what older versions of PyTorch did not save."""
    if isinstance(module, nn.Upsample):
        module.__dict__.setdefault("recompute_scale_factor", None)
    if isinstance(module, nn.GELU):
        module.__dict__.setdefault("approximate", "none")


def behaves_as(block, module):
    """Whether the rebuilt block and the original, whose code is at hand, agree on random input. What
    the shortcut carries does not count: beside it a small branch would hide."""
    x = torch.randn(1, channels_in(module), 11, 17, generator=torch.Generator().manual_seed(1))
    try:
        with torch.no_grad():
            expected, actual = module(x), block(x)
    except Exception:  # code of others fails in any way
        return False
    if expected.shape != actual.shape:
        return False
    added = expected - x if block.has_skip else expected
    rounding = 1e-6 * float(expected.abs().max())
    return bool((expected - actual).abs().max() <= 1e-4 * float(added.abs().max()) + rounding)


class Adoption:
    """Goes through the modules of a model; keeps what it found and what it does not know. Classes
    named in `as_irmb` are iRMBs on the user's word, where only their code could tell."""

    def __init__(self, as_irmb=()):
        self.as_irmb = set(as_irmb)
        self.doubted = set()  # names of classes that a word for them would admit
        self.blocks = []   # (path, class) of iRMBs
        self.remarks = []
        self.unknown = []  # (path, reason)

    def adopt(self, module, path):
        """`module` or what stands for it, ready to run; inner modules first."""
        own_code = not isinstance(module, Foreign)
        for name, child in module._modules.items():
            if child is not None:
                module._modules[name] = self.adopt(child, f"{path}.{name}")
        complete(module)
        if resembles_irmb(module):
            return self.adopt_irmb(module, path, own_code)
        if own_code:
            return module
        module.__dict__.pop("forward", None)  # a fused Conv's
        known = without_code(module)
        if isinstance(known, Foreign):
            self.unknown.append((path, f"the code of {class_path(module)} is not at hand"))
        return known

    def adopt_irmb(self, module, path, own_code):
        kind = class_path(module)
        try:
            block = self.by_trial(module) if own_code else self.by_structure(module, path)
        except NotAnIrmb as error:
            if own_code:
                self.remarks.append(f"{path} ({kind}) stays as its code computes it: {error}")
            else:
                self.unknown.append((path, f"{kind} looks like an iRMB, but {error}"))
            return module
        self.blocks.append((path, kind))
        return block

    @staticmethod
    def by_trial(module):
        """The iRMB that computes what the code of `module` does."""
        for guess in guesses(module):
            block = rebuild(module, guess)
            if behaves_as(block, module):
                return block
        raise NotAnIrmb("with an iRMB's parts it computes something else")

    def by_structure(self, module, path):
        """The iRMB that `module` must be, as far as its parts and attributes can tell."""
        block, found, name = rebuild(module), doubts(module), type(module).__name__
        if found and name not in self.as_irmb:
            self.doubted.add(name)
            raise NotAnIrmb(", ".join(found))
        if not found and not has_known_name(module):
            found = [f"{name} has the parts and attributes of an iRMB, its code was not seen"]
        self.remarks += [f"{path} ({class_path(module)}): {doubt}; taken for an iRMB"
                         for doubt in found]
        return block

    def check(self):
        """Raises CheckpointError when something cannot run."""
        if self.unknown:
            some = "; ".join(f"{path}: {reason}" for path, reason in self.unknown[:3])
            more = f"; and {len(self.unknown) - 3} more" if len(self.unknown) > 3 else ""
            word = "; or, if you know that they compute what the published iRMB does, name the classes: " \
                f"--as-irmb {' '.join(sorted(self.doubted))}" if self.doubted else ""
            raise CheckpointError(
                f"{some}{more}. If you trust the checkpoint, give the folder of its source code with "
                f"--run-code DIR{word}")
