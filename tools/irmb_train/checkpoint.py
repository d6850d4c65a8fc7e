"""Trained weights on disk: checkpoints of a training, and the exported ONNX.

The ONNX holds everything but the state of the optimiser and the batch norms, which are folded
away there. load_onnx() brings them back: as they do nothing, until calibrate() has measured what
they would normalise.
"""
import torch
from torch import nn

from irmb_export.irmb import iRMB

from .model import RepVggDw, YoloV10Irmb, initialise
from .sources import CLASSES


def load_checkpoint(path):
    """The averaged model of a training."""
    saved = torch.load(path, map_location="cpu", weights_only=True)
    model = YoloV10Irmb(len(CLASSES), saved["scale"])
    model.load_state_dict(saved["average"])
    return model


def save_model(model, path):
    """Writes what load_checkpoint() reads; a training cannot go on from it."""
    widths = {16: "n", 32: "s"}
    torch.save(dict(average=model.state_dict(), scale=widths[model.model[0].conv.out_channels]),
               path)


def neutral(norm):
    """Makes a batch norm in eval mode return its input."""
    nn.init.zeros_(norm.running_mean)
    nn.init.constant_(norm.running_var, 1 - norm.eps)


def set_irmb(block, weights):
    """Fills a default iRMB with the inputs of its node (see irmb_export.node.describe)."""
    scale, shift, qk, v, local, local_shift, proj = weights
    neutral(block.norm)
    neutral(block.conv_local.norm)
    for target, value in ((block.norm.weight, scale), (block.norm.bias, shift),
                          (block.qk.conv.weight, qk), (block.v.conv.weight, v),
                          (block.conv_local.conv.weight, local),
                          (block.conv_local.norm.bias, local_shift),
                          (block.proj.conv.weight, proj)):
        target.copy_(value)


@torch.no_grad()
def load_onnx(path):
    """A model as irmb_train.export wrote it."""
    import onnx
    from onnx import numpy_helper
    state = {tensor.name: torch.from_numpy(numpy_helper.to_array(tensor).copy())
             for tensor in onnx.load(str(path)).graph.initializer}
    width = state["model.0.conv.weight"].shape[0]
    model = initialise(YoloV10Irmb(len(CLASSES), {16: "n", 32: "s"}[width]))
    for name, module in model.named_modules():
        if isinstance(module, iRMB):
            set_irmb(module, [state[f"{name}.weights.{i}"] for i in range(7)])
        elif hasattr(module, "bn") and f"{name}.conv.weight" in state:
            module.conv.weight.copy_(state[f"{name}.conv.weight"])
            neutral(module.bn)
            module.bn.bias.copy_(state[f"{name}.conv.bias"])
        elif isinstance(module, RepVggDw):
            nn.init.zeros_(module.conv1.bn.weight)
        elif isinstance(module, nn.Conv2d) and f"{name}.bias" in state and module.bias is not None:
            module.weight.copy_(state[f"{name}.weight"])
            module.bias.copy_(state[f"{name}.bias"])
    head = model.model[26]
    for many, cls in zip(head.many, head.cv3):
        many.load_state_dict(cls[2].state_dict())
    return model.eval()


@torch.no_grad()
def calibrate(model, batches):
    """Gives the batch norms of a model from load_onnx() the statistics of what they see in
    `batches`, a list of [B, 3, H, W]; the model computes the same as before."""
    sums = {}

    def measure(norm, inputs):
        x = inputs[0].transpose(0, 1).flatten(1).double()
        total = torch.stack((x.sum(1), x.square().sum(1)))
        count, before = sums.get(norm, (0, 0))
        sums[norm] = (count + x.shape[1], before + total)

    hooks = [m.register_forward_pre_hook(measure) for m in model.modules()
             if isinstance(m, nn.BatchNorm2d)]
    model.eval()
    for batch in batches:
        model(batch)
    for hook in hooks:
        hook.remove()
    for norm, (count, total) in sums.items():
        scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        shift = norm.bias - norm.running_mean * scale
        mean, square = (total / count).float()
        norm.running_mean.copy_(mean)
        norm.running_var.copy_((square - mean * mean).clamp(min=1e-6))
        norm.weight.copy_(scale * torch.sqrt(norm.running_var + norm.eps))
        norm.bias.copy_(shift + mean * scale)
    return model


def load_model(path, scores="one"):
    """A model of a checkpoint or of an exported ONNX. scores: "many" takes the one-to-many scores
    in place of the one-to-one ones; an ONNX holds those that it was exported with."""
    model = load_onnx(path) if str(path).endswith(".onnx") else load_checkpoint(path)
    if scores == "many":
        model.model[-1].take_many()
    return model
