"""The parts of an iRMB inside a module, by the names that forks give them."""
import torch
from torch import nn

SPELLINGS = {
    "norm": ("norm", "norm1", "pre_norm"),
    "qk": ("qk", "to_qk"),
    "q": ("q", "to_q", "query"),
    "k": ("k", "to_k", "key"),
    "qkv": ("qkv", "to_qkv"),
    "v": ("v", "to_v", "value"),
    "conv_local": ("conv_local", "local_conv", "local", "dwconv", "dw_conv", "conv_dw", "dw"),
    "se": ("se",),
    "proj": ("proj", "project", "proj_out")}
PUBLISHED = {"norm", "qk", "v", "conv_local", "se", "proj"}


def is_passive(module):
    """Whether a module does nothing at inference."""
    name = type(module).__name__.lower()
    return module is None or isinstance(module, nn.Identity) or \
        "drop" in name and not list(module.parameters())


def names_of(module):
    """{part: the name of the child that is it}."""
    return {part: name for part, names in SPELLINGS.items()
            for name in names[::-1] if name in module._modules}


def parts_of(module):
    """{part: child}, without those that do nothing."""
    found = {part: module._modules[name] for part, name in names_of(module).items()}
    return {part: child for part, child in found.items() if not is_passive(child)}


def resembles_irmb(module):
    """Whether a module is built of an iRMB's parts."""
    names = set(names_of(module))
    return {"conv_local", "proj"} <= names and bool(names & {"qk", "v", "q", "qkv"})


def renamed(module):
    """Names of children that are parts of an iRMB, but not by the published name."""
    return sorted(name for part, name in names_of(module).items()
                  if name not in PUBLISHED or part != name)


def rows(conv, begin, end):
    """A 1x1 convolution that gives some of the channels of `conv`."""
    part = nn.Conv2d(conv.in_channels, end - begin, 1, bias=conv.bias is not None)
    part.weight.data = conv.weight.data[begin:end].clone()
    if conv.bias is not None:
        part.bias.data = conv.bias.data[begin:end].clone()
    return part


def stack(*convs):
    """A 1x1 convolution that gives the channels of all `convs`, one after the other."""
    biased = any(conv.bias is not None for conv in convs)
    whole = nn.Conv2d(convs[0].in_channels, sum(conv.out_channels for conv in convs), 1, bias=biased)
    whole.weight.data = torch.cat([conv.weight.data for conv in convs])
    if biased:
        whole.bias.data = torch.cat([conv.weight.new_zeros(conv.out_channels) if conv.bias is None
                                     else conv.bias.data for conv in convs])
    return whole
