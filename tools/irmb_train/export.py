"""Writes a trained model as the ONNX file that comes with Vigil, and checks it."""
import argparse
import copy
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import nn

from irmb_export.node import fold_batch_norm, with_nodes
from irmb_export.yolo import Conv

from .checkpoint import load_model
from .model import RepVggDw
from .sources import CLASSES
from .teacher import SIZE


class Fused(nn.Module):
    """Conv with its batch norm folded in."""

    def __init__(self, conv, weight, bias, act):
        super().__init__()
        self.conv = nn.Conv2d(conv.in_channels, conv.out_channels, conv.kernel_size, conv.stride,
                              conv.padding, groups=conv.groups)
        self.conv.weight.copy_(weight)
        self.conv.bias.copy_(bias)
        self.act = act

    def forward(self, x):
        return self.act(self.conv(x))


def folded(conv):
    scale, shift = fold_batch_norm(conv.bn)
    return conv.conv.weight * scale[:, None, None, None], shift


@torch.no_grad()
def fuse(model):
    """Replaces every Conv and RepVggDw inside `model` by one convolution; returns the model."""
    for name, child in model.named_children():
        if isinstance(child, Conv):
            setattr(model, name, Fused(child.conv, *folded(child), child.act))
        elif isinstance(child, RepVggDw):
            (wide, bias), (narrow, more) = folded(child.conv), folded(child.conv1)
            child.conv = Fused(child.conv.conv, wide + nn.functional.pad(narrow, (2, 2, 2, 2)),
                               bias + more, nn.Identity())
            child.conv1 = nn.Identity()
            child.forward = lambda x, block=child: block.act(block.conv(x))
        else:
            fuse(child)
    return model


@torch.no_grad()
def move_scores(model, confidence):
    """Shifts all logits so that scores of `confidence` become 0.25, vigil's usual threshold."""
    shift = torch.logit(torch.tensor(0.25)) - torch.logit(torch.tensor(confidence))
    for cls in model.model[26].cv3:
        cls[2].bias += shift
    return model


def metadata(description, nms_iou):
    return {"description": description, "author": "the Vigil authors", "license": "Apache-2.0",
            "task": "detect", "batch": "1", "stride": "32", "imgsz": str([SIZE, SIZE]),
            "names": str(dict(enumerate(CLASSES))), "nms_iou": f"{nms_iou:g}"}


def export(model, path, description, nms_iou=1.0):
    """Writes `model` with one irmb::iRMB node a block. Vigil removes doubles that overlap by more
    than `nms_iou`; 1: none."""
    del model.model[26].many
    model = with_nodes(fuse(model.eval()).requires_grad_(False))
    torch.onnx.export(model, (torch.zeros(1, 3, SIZE, SIZE),), str(path), opset_version=17,
                      input_names=["images"], output_names=["output0"], dynamo=False,
                      custom_opsets={"irmb": 1}, autograd_inlining=False)
    written = onnx.load(str(path))
    onnx.helper.set_model_props(written, metadata(description, nms_iou))
    onnx.save(written, str(path))


def verify(path, reference, vigil):
    """Runs `vigil verify` on the file against `reference` in PyTorch."""
    x = torch.rand(1, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        y = reference(x)
    with tempfile.TemporaryDirectory() as folder:
        for name, value in (("x", x), ("y", y)):
            np.save(f"{folder}/{name}.npy", value.numpy())
        subprocess.run([vigil, "verify", str(path), "--input", f"{folder}/x.npy",
                        "--expect", f"{folder}/y.npy"], check=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="checkpoint.pt of a training, or an exported ONNX")
    parser.add_argument("output", type=Path)
    parser.add_argument("--description", default="YOLOv10n-iRMB for street scenes")
    parser.add_argument("--confidence", type=float, default=0.25,
                        help="the score that shall become 0.25, see irmb_train.evaluate")
    parser.add_argument("--scores", default="one", choices=("one", "many"),
                        help="one-to-one, or one-to-many, which are learned faster and need NMS")
    parser.add_argument("--nms-iou", type=float, default=0.5,
                        help="overlap above which vigil shall remove doubles, which a model that "
                             "was trained for hours still makes; 1: never")
    parser.add_argument("--vigil", help="the program that checks the file")
    args = parser.parse_args()
    model = move_scores(load_model(args.model, args.scores).eval(), args.confidence)
    export(copy.deepcopy(model), args.output, args.description, args.nms_iou)
    print(f"{args.output}: {args.output.stat().st_size} bytes")
    if args.vigil:
        verify(args.output, model, args.vigil)


if __name__ == "__main__":
    main()
