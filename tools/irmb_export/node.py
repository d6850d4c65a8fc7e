"""Exports an iRMB as one `irmb::iRMB` node (docs/irmb-node.md) instead of standard operators.

Works with the TorchScript exporter, where a torch.autograd.Function may name its own operator.
"""
import torch
from torch import nn

from .irmb import ACTIVATIONS, LayerNorm2d, iRMB

DOMAIN, VERSION = "irmb", 1


def fold_batch_norm(norm):
    """A batch norm's scale and shift per channel, from its running statistics."""
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    return scale, norm.bias - norm.running_mean * scale


def norm_of(module):
    """(name, eps, groups, scale, shift) of an iRMB's first normalisation."""
    if isinstance(module, nn.Identity):
        return "none", 1e-6, 1, None, None
    if isinstance(module, nn.BatchNorm2d):
        return ("bn_2d", 1e-6, 1) + fold_batch_norm(module)
    if isinstance(module, LayerNorm2d):
        return "ln_2d", module.norm.eps, 1, module.norm.weight, module.norm.bias
    if isinstance(module, nn.InstanceNorm2d):
        return "in_2d", module.eps, 1, module.weight, module.bias
    if isinstance(module, nn.GroupNorm):
        return "gn", module.eps, module.num_groups, module.weight, module.bias
    raise ValueError(f"an iRMB with {type(module).__name__} in front has no node: export it with "
                     "standard operators")


def activation_of(module):
    """Name of an activation module."""
    for name, kind in ACTIVATIONS.items():
        if type(module) is kind:
            return name
    raise ValueError(f"activation {type(module).__name__} has no name in the node: export the block "
                     "with standard operators")


def slopes(act):
    return [act.weight] if isinstance(act, nn.PReLU) else []


def describe(block):
    """Attributes and weights, in the node's order, of an iRMB in eval mode."""
    norm, eps, groups, scale, shift = norm_of(block.norm)
    weights = [scale, shift] if norm != "none" else []
    has_v = not isinstance(block.v, nn.Identity)
    if block.attn_s:
        weights += [block.qk.conv.weight, block.qk.conv.bias]
    if has_v:
        weights += [block.v.conv.weight, block.v.conv.bias] + slopes(block.v.act)
    local = block.conv_local
    scale, shift = fold_batch_norm(local.norm)
    weights += [local.conv.weight * scale[:, None, None, None], shift]
    has_se = not isinstance(block.se, nn.Identity)
    if has_se:
        weights += [block.se.conv_reduce.weight, block.se.conv_reduce.bias] + slopes(block.se.act1)
        weights += [block.se.conv_expand.weight, block.se.conv_expand.bias]
    weights += [block.proj.conv.weight, block.proj.conv.bias]
    act = block.v.act if has_v else block.se.act1 if has_se else nn.Identity()
    attributes = dict(
        dim_mid_i=local.conv.out_channels, dim_out_i=block.proj.conv.out_channels,
        norm_layer_s=norm, norm_eps_f=eps, norm_groups_i=groups, act_layer_s=activation_of(act),
        attn_s_i=int(block.attn_s), v_proj_i=int(has_v),
        v_group_i=int(has_v and block.v.conv.groups > 1), attn_pre_i=int(block.attn_pre),
        qk_bias_i=int(block.attn_s and block.qk.conv.bias is not None),
        v_bias_i=int(has_v and block.v.conv.bias is not None),
        proj_bias_i=int(block.proj.conv.bias is not None),
        dim_head_i=round(block.scale ** -2), window_size_i=block.window_size,
        dw_ks_i=local.conv.kernel_size[0], stride_i=local.conv.stride[0],
        dilation_i=local.conv.dilation[0],
        se_channels_i=block.se.conv_reduce.out_channels if has_se else 0,
        has_skip_i=int(block.has_skip))
    return attributes, [w.detach() for w in weights if w is not None]


class _Node(torch.autograd.Function):
    """Computes what `block` computes and exports as one node."""

    @staticmethod
    def forward(ctx, block, attributes, x, *weights):
        return block(x)

    @staticmethod
    def symbolic(g, block, attributes, x, *weights):
        out = g.op(f"{DOMAIN}::iRMB", x, *weights, **attributes)
        sizes = list(x.type().sizes() or [])
        if len(sizes) == 4 and attributes["has_skip_i"]:
            out.setType(x.type())
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


def with_nodes(model):
    """Replaces every iRMB inside `model` by its stand-in; returns the model."""
    if isinstance(model, iRMB):
        return IrmbNode(model)
    for name, child in model.named_children():
        setattr(model, name, with_nodes(child))
    return model
