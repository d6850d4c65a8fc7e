"""Writes checkpoints as others would, for export_test.py: python -m irmb_export.foreign_models OUT

Classes that only this process has, in a package called `ultralytics`; none of them is exported code.
Beside each NAME.pt lie the input and what the model made of it, NAME.npy and input.npy.
"""
import copy
import math
import sys
import types
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from . import yolo


def published(name, base, body=None):
    """A class of that name whose pickles say that it comes from ultralytics.nn.extra."""
    module = sys.modules.setdefault("ultralytics.nn.extra", types.ModuleType("ultralytics.nn.extra"))
    for parent in ("ultralytics", "ultralytics.nn"):
        sys.modules.setdefault(parent, types.ModuleType(parent))
    kind = type(name, (base,), {"__module__": module.__name__, "__qualname__": name, **(body or {})})
    setattr(module, name, kind)
    return kind


class Unit(nn.Module):
    def __init__(self, c1, c2, k, act=None, norm=False, bias=False, **how):
        super().__init__()
        self.conv = nn.Conv2d(c1, c2, k, how.pop("s", 1), k // 2, bias=bias, **how)
        self.norm = nn.BatchNorm2d(c2) if norm else nn.Identity()
        self.act = act or nn.Identity()
        self.drop_path = nn.Identity()
        self.has_skip = False

    def forward(self, x):
        return self.drop_path(self.act(self.norm(self.conv(x))))


class Block(nn.Module):
    """An iRMB by loops over windows, unlike irmb.py."""

    def __init__(self, c, dim_head=8, window=7, act=nn.ReLU, k=3, bias=False, norm=None):
        super().__init__()
        self.norm = norm or nn.BatchNorm2d(c)
        self.dim_head, self.num_head, self.window_size = dim_head, c // dim_head, window
        self.scale, self.attn_s, self.attn_pre, self.has_skip = dim_head ** -0.5, True, False, True
        self.qk, self.v = UNIT(c, 2 * c, 1, bias=bias), UNIT(c, c, 1, act(), bias=bias)
        self.attn_drop, self.proj_drop, self.se = nn.Dropout(0.0), nn.Dropout(0.0), nn.Identity()
        self.conv_local = UNIT(c, c, k, nn.SiLU(), norm=True, groups=c)
        self.proj, self.drop_path = UNIT(c, c, 1), nn.Identity()

    def queries_and_keys(self, x):
        return self.qk(x)

    def attend(self, x):
        q, k = self.queries_and_keys(x).flatten(2).chunk(2, 1)
        v = self.v(x).flatten(2)
        heads = []
        for q, k, v in zip(*(t.chunk(self.num_head, 1) for t in (q, k, v))):
            heads.append(v @ (q.transpose(1, 2) @ k * self.scale).softmax(-1).transpose(1, 2))
        return torch.cat(heads, 1).reshape(x.shape)

    def forward(self, x):
        h, w = x.shape[2:]
        side = self.window_size
        y = F.pad(self.norm(x), (0, -w % side, 0, -h % side))
        rows, columns = y.shape[2] // side, y.shape[3] // side
        z = torch.empty_like(y)
        for i in range(rows):
            for j in range(columns):
                z[:, :, i::rows, j::columns] = self.attend(y[:, :, i::rows, j::columns])
        z = z[:, :, :h, :w]
        return x + self.proj(z + self.se(self.conv_local(z)))


class LinearSqueeze(nn.Module):
    """Squeeze and excitation with linear layers."""

    def __init__(self, c):
        super().__init__()
        self.avg_pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Sequential(nn.Linear(c, c // 4, bias=False), nn.ReLU(),
                                nn.Linear(c // 4, c, bias=False), nn.Sigmoid())

    def forward(self, x):
        return x * self.fc(self.avg_pool(x).flatten(1))[..., None, None]


class SplitBlock(Block):
    """q and k by convolutions of their own, and another name for the local one."""

    def __init__(self, c):
        super().__init__(c)
        del self.qk
        self.q, self.k = nn.Conv2d(c, c, 1, bias=False), nn.Conv2d(c, c, 1)
        self.dw = self._modules.pop("conv_local")

    def queries_and_keys(self, x):
        return torch.cat((self.q(x), self.k(x)), 1)

    def __getattr__(self, name):
        return super().__getattr__("dw" if name == "conv_local" else name)


UNIT = published("ConvNormAct", Unit)
IRMB = published("iRMB", Block)
OTHER_NAME = published("MobileMixer", Block)
CASCADED = published("iRMB_Cascaded", Block)
SPLIT, SQUEEZE = published("RMB", SplitBlock), published("SEAttention", LinearSqueeze)
CONV, C2F = published("Conv", yolo.Conv), published("C2f_iRMB", yolo.C2f)
DFL = published("DFL", yolo.DFL)
DETECT = published("v10Detect", nn.Module, {"forward": lambda self, maps: self.head(maps)})
MODEL = published("YOLOv10DetectionModel", nn.Module)


def layer(module, index, source):
    module.i, module.f, module.type, module.np = index, source, type(module).__name__, 0
    return module


def head(channels, nc):
    """Ultralytics' head: both branches, of which the second is the one-to-one head."""
    made = yolo.Head(channels, nc)
    detect = DETECT()
    made.dfl.__class__ = DFL
    for module in made.modules():
        if type(module) is yolo.Conv:
            module.__class__ = CONV
    detect.cv2, detect.cv3, detect.dfl = copy.deepcopy(made.cv2), copy.deepcopy(made.cv3), made.dfl
    detect.one2one_cv2, detect.one2one_cv3 = made.cv2, made.cv3
    made.dfl.set_weights()
    detect.nc, detect.reg_max, detect.nl = nc, 16, 3
    detect.stride = torch.tensor([8.0, 16.0, 32.0])
    return detect, made


def network(blocks, nc=2):
    """(model, function that computes it): a pyramid with one block before each input of the head."""
    c = 16
    stem = nn.Sequential(CONV(3, c, 3, 2), CONV(c, c, 3, 2), CONV(c, c, 3, 2))
    neck = C2F(c, 2 * c, 2, lambda width: IRMB(width, 16, act=nn.SiLU))
    layers = [stem, blocks[0], CONV(c, c, 3, 2), blocks[1], CONV(c, c, 3, 2), blocks[2], neck]
    detect, made = head((c, c, 2 * c), nc)
    model = MODEL()
    model.model = nn.Sequential(*(layer(m, i, -1) for i, m in enumerate(layers)),
                                layer(detect, len(layers), [1, 3, 6]))
    model.names, model.save = {0: "person", 1: "car"}, [1, 3, 6]

    def run(x):
        kept = []
        for m in layers:
            kept.append(x := m(x))
        return made([kept[1], kept[3], kept[6]])
    return model, run


def plain_parts(c, squeeze):
    """A block of bare convolutions that keeps the activation of its v, with YOLO's Conv."""
    block = IRMB(c, bias=True)
    block.act = nn.SiLU()
    block.qk, block.v = nn.Conv2d(c, 2 * c, 1), nn.Sequential(nn.Conv2d(c, c, 1), block.act)
    block.conv_local, block.proj = CONV(c, c, 3, g=c), nn.Conv2d(c, c, 1)
    block.se = SQUEEZE(c) if squeeze else block.se
    return block


def blocks_of(name):
    if name == "plain":
        return [IRMB(16), IRMB(16), IRMB(16)]
    if name == "variants":
        return [OTHER_NAME(16, act=nn.GELU, k=5, bias=True, norm=nn.GroupNorm(4, 16)),
                IRMB(16, 4, 5, act=nn.Hardswish), IRMB(16, act=nn.PReLU)]
    if name == "forks":
        return [plain_parts(16, False), plain_parts(16, True), SPLIT(16)]
    blocks = [IRMB(16), IRMB(16), CASCADED(16)]
    blocks[2].cascades = nn.ModuleList([nn.Conv2d(8, 8, 1)])
    return blocks


def randomise(model):
    """Weights that keep the scale of what passes through, and norms that do something."""
    generator = torch.Generator().manual_seed(1)
    for name, value in [*model.named_parameters(), *model.named_buffers()]:
        if not value.is_floating_point() or "dfl" in name:
            continue
        noise = torch.randn(value.shape, generator=generator)
        if value.dim() > 1:
            value.data = noise / math.sqrt(value[0].numel())
        elif name.endswith("running_var") or name.endswith("weight"):
            value.data = 1 + 0.2 * noise.clamp(-2, 2)
        else:
            value.data = 0.2 * noise
    return model.half().float().eval().requires_grad_(False)


def main():
    out = Path(sys.argv[1])
    image = torch.rand(1, 3, 96, 160, generator=torch.Generator().manual_seed(2))
    np.save(out / "input.npy", image.numpy())
    for name in ("plain", "variants", "forks", "cascaded"):
        model, run = network(blocks_of(name))
        randomise(model)
        with torch.no_grad():
            np.save(out / f"{name}.npy", run(image).numpy())
        torch.save({"model": model.half(), "ema": None, "license": "AGPL-3.0", "epoch": -1,
                    "train_args": {"imgsz": 160}}, out / f"{name}.pt")


if __name__ == "__main__":
    main()
