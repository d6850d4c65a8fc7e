"""A larger set than the committed one, for development:

    python -m irmb_export.golden OUT --cases irmb_export.variants:large ...
"""
import random

from . import relatives as rel
from . import yolo
from .cases import Case, InContext, block, committed, metadata
from .irmb import iRMB
from .layout import ChunkLayout, EinopsLayout, PlainLayout

LAYOUTS = (EinopsLayout, EinopsLayout, PlainLayout, ChunkLayout)
FORMS = (  # exporter, form, opsets
    ("ts1", "slim", (11, 12, 13, 14, 15, 16)),
    ("ts1", "raw", (11, 12, 13, 14, 15, 16)),
    ("ts1", "sim", (12, 13, 16)),
    ("ts2", "slim", (13, 17, 18, 19, 20)),
    ("ts2", "raw", (11, 13, 17, 18, 20)),
    ("dynamo", "raw", (18, 20)),
    ("dynamo", "slim", (18, 20)),
)


def random_params(rng):
    """A consistent set of constructor parameters and the channels in and out."""
    dim_head = rng.choice((4, 8, 8, 16))
    heads = rng.choice((1, 2, 3, 4))
    dim = dim_head * heads
    skip = rng.random() < 0.7
    params = dict(
        dim_head=dim_head, exp_ratio=rng.choice((1.0, 1.0, 2.0, 3.0)), has_skip=skip,
        norm_layer=rng.choice(("bn_2d", "bn_2d", "bn_2d", "ln_2d", "in_2d", "gn", "none")),
        act_layer=rng.choice(("relu", "silu", "gelu", "relu6", "hswish", "hsigmoid", "sigmoid",
                              "tanh", "mish", "prelu", "none")),
        dw_ks=rng.choice((3, 3, 5, 7)), stride=1 if skip else rng.choice((1, 2)),
        se_ratio=rng.choice((0.0, 0.0, 0.25, 0.5)), window_size=rng.choice((7, 7, 4, 5, 3, 0, -1)),
        qkv_bias=rng.random() < 0.4, v_group=rng.random() < 0.3, attn_pre=rng.random() < 0.3,
        proj_bias=rng.random() < 0.3, norm_eps=rng.choice((1e-6, 1e-3)))
    return dim, dim if skip else rng.choice((dim, 16, 24)), params


def random_blocks(count, seed=0):
    rng = random.Random(seed)
    for i in range(count):
        dim, dim_out, params = random_params(rng)
        exporter, form, opsets = FORMS[i % len(FORMS)]
        shape = (rng.choice((1, 1, 2)), dim, rng.randint(2, 24), rng.randint(2, 24))
        yield block(f"random_{i:03d}_{exporter}_{form}", dim, dim_out, shape=shape, params=params,
                    exporter=exporter, form=form, opset=rng.choice(opsets),
                    layout=rng.choice(LAYOUTS))


def relatives_in_all_forms():
    """Look-alikes and tail relatives in every exporter's form."""
    never, core = dict(whole=0, core=0, unfused=None), dict(whole=0, core=1)
    for exporter, form, opsets in FORMS:
        suffix = f"_{exporter}_{form}"
        how = dict(exporter=exporter, form=form, opset=opsets[-1], shape=(1, 16, 10, 15))
        for kind in (rel.MaskedPadding, rel.ScaleFromChannels, rel.LearnedTemperature,
                     rel.ClampedSoftmax, rel.RenormalisedSoftmax, rel.SoftmaxOverQueries,
                     rel.PositionBias, rel.NormAfterPad):
            yield block(f"not_{kind.__name__}{suffix}", kind=kind, **never, **how)
        for layout in (rel.ContiguousWindows, rel.InterleavedQk, rel.InterleavedHeads):
            yield block(f"not_{layout.__name__}{suffix}", layout=layout, **never, **how)
        for kind in (rel.DilatedIrmb, rel.ShiftIrmb, rel.ReluLocalIrmb, rel.GroupedLocalIrmb):
            yield block(f"core_{kind.__name__}{suffix}", kind=kind, **core, **how)


def head_sizes():
    """The three blocks of a YOLOv10n's head inputs."""
    for dim, side in ((64, 80), (128, 40), (256, 20)):
        for exporter, form, opset in (("ts1", "raw", 13), ("ts1", "slim", 13), ("dynamo", "raw", 18)):
            yield block(f"head_{dim}_{side}_{exporter}_{form}", dim, shape=(1, dim, side, side),
                        exporter=exporter, form=form, opset=opset)


def more_models():
    irmb = lambda c: iRMB(c, c, norm_eps=yolo.NORM_EPS, layout=EinopsLayout)
    names = metadata(["person", "car"], 160, 96)
    for exporter, form, opset in (("ts1", "raw", 12), ("ts2", "slim", 17), ("dynamo", "raw", 18)):
        for tail in (None, yolo.TailTwoGathers(2, 30), yolo.TailIndexing(2, 300)):
            name = type(tail).__name__ if tail else "Raw"
            yield Case(f"yolo_{exporter}_{form}_{name}",
                       lambda tail=tail: yolo.TinyYolo(2, irmb, tail=tail), (1, 3, 160, 96),
                       exporter=exporter, form=form, opset=opset, whole=3, metadata=names)
    yield Case("yolo_nodes", lambda: yolo.TinyYolo(2, irmb), (1, 3, 160, 96), exporter="node", form="raw", whole=3, metadata=names)
    yield Case("three_in_context_dynamo", lambda: InContext(*(irmb(16) for _ in range(3))),
               (2, 16, 11, 8), exporter="dynamo", form="raw", opset=18, whole=3)


def large():
    return [*committed(), *head_sizes(), *random_blocks(140), *relatives_in_all_forms(),
            *more_models()]
