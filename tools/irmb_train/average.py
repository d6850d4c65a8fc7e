"""Averages the weights of a model and of what it became by further training.

The mean of both finds more than either (model soups, arXiv:2203.05482) as long as the further
training stayed near: a small rate, some hundred steps.
"""
import argparse
from pathlib import Path

import torch

from irmb_export.node import fold_batch_norm
from irmb_export.yolo import Conv

from .checkpoint import load_model, neutral, save_model


@torch.no_grad()
def with_neutral_norms(model):
    """Moves the statistics of all batch norms into weights, where they can be averaged; the model
    computes the same in eval mode."""
    for norm in model.modules():
        if isinstance(norm, torch.nn.BatchNorm2d):
            scale, shift = fold_batch_norm(norm)
            neutral(norm)
            norm.weight.copy_(scale)
            norm.bias.copy_(shift)
    for block in model.modules():
        if isinstance(block, Conv):
            block.conv.weight.mul_(block.bn.weight[:, None, None, None])
            block.bn.weight.fill_(1)
    return model


def average(before, after, share=0.5):
    """The model whose weights are `share` of the way from one model to the other. The one-to-many
    scores are those of `after`: an exported model has none of its own."""
    states = [with_neutral_norms(model.eval()).state_dict() for model in (before, after)]
    mean = {name: torch.lerp(value, states[1][name], share) if value.is_floating_point() else value
            for name, value in states[0].items()}
    mean.update({name: value for name, value in states[1].items() if ".many." in name})
    after.load_state_dict(mean)
    return after


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("before", help="checkpoint.pt or exported ONNX")
    parser.add_argument("after", help="checkpoint.pt of a training that started from it")
    parser.add_argument("output", type=Path, help="checkpoint to evaluate and export")
    parser.add_argument("--share", type=float, default=0.5, help="of the second model, 0 to 1")
    args = parser.parse_args()
    save_model(average(load_model(args.before), load_model(args.after), args.share), args.output)


if __name__ == "__main__":
    main()
