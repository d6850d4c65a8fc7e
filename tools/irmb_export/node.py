"""Exports an iRMB as one `irmb::iRMB` node (docs/irmb-node.md) instead of standard operators.

Works with the TorchScript exporter, where a torch.autograd.Function may name its own operator.
"""
import math

import torch
from torch import nn

from .irmb import ACTIVATIONS, ConvNormAct, LayerNorm2d, SqueezeExcite, iRMB

DOMAIN, VERSION = "irmb", 1


class NoNode(ValueError):
    """An iRMB, or its local branch, that the node cannot express; the message says why."""


def affine(module, channels):
    """Weight and bias of a norm, which may lack both."""
    if module.weight is None:
        return torch.ones(channels), torch.zeros(channels)
    return module.weight, module.bias


def fold_batch_norm(norm):
    """A batch norm's scale and shift per channel, from its running statistics."""
    weight, bias = affine(norm, norm.num_features)
    scale = weight / torch.sqrt(norm.running_var + norm.eps)
    return scale, bias - norm.running_mean * scale


def norm_of(module, channels):
    """(name, eps, groups, scale, shift) of an iRMB's first normalisation."""
    if isinstance(module, nn.Identity):
        return "none", 1e-6, 1, None, None
    if getattr(module, "running_var", None) is not None:
        return ("bn_2d", 1e-6, 1) + fold_batch_norm(module)
    if isinstance(module, LayerNorm2d):
        return ("ln_2d", module.norm.eps, 1) + affine(module.norm, channels)
    if isinstance(module, nn.InstanceNorm2d):
        return ("in_2d", module.eps, 1) + affine(module, channels)
    if isinstance(module, nn.GroupNorm):
        return ("gn", module.eps, module.num_groups) + affine(module, channels)
    raise NoNode(f"it has a {type(module).__name__} in front")


def activation_of(module):
    """Name of an activation module."""
    for name, kind in ACTIVATIONS.items():
        if type(module) is kind and getattr(module, "approximate", "none") == "none":
            return name
    raise NoNode(f"the activation {type(module).__name__} has no name in the node")


def slopes(act):
    return [act.weight] if isinstance(act, nn.PReLU) else []


def has_v(block):
    return not isinstance(block.v, nn.Identity)


def describe_core(block):
    """Attributes and weights of normalisation and window attention."""
    channels = block.qk.conv.in_channels if block.attn_s else None
    norm, eps, groups, scale, shift = norm_of(block.norm, channels)
    weights = [scale, shift] if norm != "none" else []
    if block.attn_s:
        weights += [block.qk.conv.weight, block.qk.conv.bias]
    if has_v(block):
        weights += [block.v.conv.weight, block.v.conv.bias] + slopes(block.v.act)
    attributes = dict(
        norm_layer_s=norm, norm_eps_f=eps, norm_groups_i=groups, attn_s_i=int(block.attn_s),
        act_layer_s=activation_of(block.v.act if has_v(block) else nn.Identity()),
        v_proj_i=int(has_v(block)), v_group_i=int(has_v(block) and block.v.conv.groups > 1),
        attn_pre_i=int(block.attn_pre),
        qk_bias_i=int(block.attn_s and block.qk.conv.bias is not None),
        v_bias_i=int(has_v(block) and block.v.conv.bias is not None),
        dim_head_i=round(block.scale ** -2), window_size_i=block.window_size)
    return attributes, weights


def describe_local(unit):
    """Attributes and weights of the depthwise convolution with batch norm and SiLU."""
    if not isinstance(unit, ConvNormAct) or not isinstance(unit.act, nn.SiLU):
        raise NoNode("its local branch is not a convolution with SiLU")
    conv = unit.conv
    (size, wide), (stride, across) = conv.kernel_size, conv.stride
    padding = max(0, math.ceil((size - stride) / 2))
    if not conv.groups == conv.in_channels == conv.out_channels:
        raise NoNode("its local convolution is not depthwise")
    if (size, stride) != (wide, across) or conv.padding != (padding, padding) or \
            len(set(conv.dilation)) > 1 or conv.padding_mode != "zeros":
        raise NoNode(f"its local convolution has padding {conv.padding}")
    scale, shift = torch.ones(conv.out_channels), torch.zeros(conv.out_channels)
    if isinstance(unit.norm, nn.modules.batchnorm._BatchNorm):
        scale, shift = fold_batch_norm(unit.norm)
    elif not isinstance(unit.norm, nn.Identity):
        raise NoNode("its local branch has no batch norm")
    if conv.bias is not None:
        shift = shift + conv.bias * scale
    attributes = dict(dim_mid_i=conv.out_channels, dw_ks_i=size, stride_i=stride,
                      dilation_i=conv.dilation[0])
    return attributes, [conv.weight * scale[:, None, None, None], shift]


def describe_squeeze(se, act):
    """Attributes and weights of squeeze and excitation, whose activation must be the block's."""
    if isinstance(se, nn.Identity):
        return dict(se_channels_i=0), []
    if not isinstance(se, SqueezeExcite) or activation_of(se.act1) != act:
        raise NoNode("its squeeze and excitation is another one")
    weights = []
    for conv, slope in ((se.conv_reduce, slopes(se.act1)), (se.conv_expand, [])):
        bias = torch.zeros(conv.out_channels) if conv.bias is None else conv.bias
        weights += [conv.weight, bias, *slope]
    return dict(se_channels_i=se.conv_reduce.out_channels), weights


def describe(block):
    """Attributes and weights, in the node's order, of an iRMB in eval mode."""
    attributes, weights = describe_core(block)
    local, local_weights = describe_local(block.conv_local)
    if not has_v(block) and isinstance(block.se, SqueezeExcite):
        attributes["act_layer_s"] = activation_of(block.se.act1)
    squeeze, se_weights = describe_squeeze(block.se, attributes["act_layer_s"])
    proj = block.proj.conv
    attributes.update(local, **squeeze, dim_out_i=proj.out_channels,
                      proj_bias_i=int(proj.bias is not None), has_skip_i=int(block.has_skip))
    return finished(attributes, weights + local_weights + se_weights + [proj.weight, proj.bias])


def describe_attention(block):
    """The same of its normalisation and window attention alone."""
    if not block.attn_s:
        raise NoNode("it has no attention")
    attributes, weights = describe_core(block)
    attributes.update(part_s="attention", dim_mid_i=block.v.conv.out_channels)
    return finished(attributes, weights)


def finished(attributes, weights):
    return attributes, [w.detach().float() for w in weights if w is not None]


def output_sizes(sizes, attributes):
    """Shape of a node's output, from its input's [B, C, H, W]."""
    batch, _, *sides = sizes
    if "dw_ks_i" not in attributes:
        return [batch, attributes["dim_mid_i"], *sides]
    k, stride = attributes["dw_ks_i"], attributes["stride_i"]
    reach = attributes["dilation_i"] * (k - 1) - 2 * max(0, math.ceil((k - stride) / 2))
    return [batch, attributes["dim_out_i"], *((side - reach - 1) // stride + 1 for side in sides)]


class _Node(torch.autograd.Function):
    """Computes what the method `work` of a block computes and exports as one node."""

    @staticmethod
    def forward(ctx, work, attributes, x, *weights):
        return work(x)

    @staticmethod
    def symbolic(g, work, attributes, x, *weights):
        out = g.op(f"{DOMAIN}::iRMB", x, *weights, **attributes)
        sizes = list(x.type().sizes() or [])
        if len(sizes) == 4 and None not in sizes:
            out.setType(x.type().with_sizes(output_sizes(sizes, attributes)))
        return out


class IrmbNode(nn.Module):
    """Stands in for an iRMB during an export."""

    def __init__(self, block):
        super().__init__()
        self._block = [block]  # in a list: its parameters shall not be exported
        self.attributes, weights = describe(block)
        self.weights = nn.ParameterList(nn.Parameter(w, requires_grad=False) for w in weights)

    def forward(self, x):
        return _Node.apply(self._block[0], self.attributes, x, *self.weights)


class AttentionNode(nn.Module):
    """Stands in for an iRMB with another local branch: its attention becomes a node."""

    def __init__(self, block):
        super().__init__()
        self.block = block
        self.attributes, weights = describe_attention(block)
        self.weights = nn.ParameterList(nn.Parameter(w, requires_grad=False) for w in weights)

    def forward(self, x):
        y = _Node.apply(self.block.core, self.attributes, x, *self.weights)
        return self.block.finish(x, y)


def stand_in(block):
    """The block as a node, as far as the node can express it."""
    for kind in (IrmbNode, AttentionNode):
        try:
            return kind(block)
        except NoNode:
            continue
    return block


def with_nodes(model):
    """Replaces every iRMB inside `model` by its stand-in; returns the model."""
    if isinstance(model, iRMB):
        return stand_in(model)
    for name, child in model.named_children():
        setattr(model, name, with_nodes(child))
    return model
