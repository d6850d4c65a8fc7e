"""A larger set than the committed one, for development:

    python -m irmb_export.golden OUT --cases irmb_export.variants:large ...
"""
import random

from . import relatives as rel
from . import spellings as spell
from . import yolo
from .cases import Case, InContext, block, committed, metadata
from .irmb import iRMB
from .layout import ChunkLayout, EinopsLayout, PlainLayout

TS2 = dict(exporter="ts2", opset=17)
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


def other_words():
    """True iRMBs as forks might write them; None where a reader may reasonably give up."""
    may = dict(whole=None, core=None, unfused=None)
    kinds = [(spell.ChannelNormIrmb, {}, {}), (spell.ScaledQueries, {}, {}),
             (spell.DividedLogits, {}, {}), (spell.ScaledKeys, {}, may),
             (spell.TransposedAttention, {}, may), (spell.UnboundQk, {}, {}),
             (spell.ThreeWayQkv, {}, may), (spell.SeparateQandK, {}, may),
             (spell.NormedV, {}, {}), (spell.NormedQk, {}, {}),
             (spell.PooledSqueeze, dict(se_ratio=0.25), {}), (spell.SwappedSums, {}, {}),
             (spell.SlopePerChannel, {}, {}), (spell.TokenLinear, {}, may),
             (spell.EinsumAttention, {}, may)]
    acts = [spell.HardSwishByRelu6, spell.HardSwishByGate, spell.HardSigmoidByRelu6,
            spell.SiluBySigmoid, spell.MishBySoftplus, spell.GeluByErf, spell.Relu6ByClamp]
    for exporter, form, opsets in FORMS:
        suffix = f"_{exporter}_{form}"
        how = dict(exporter=exporter, form=form, opset=opsets[-1], shape=(1, 16, 10, 15))
        for kind, params, counts in kinds:
            yield block(f"spell_{kind.__name__}{suffix}", kind=kind, params=params,
                        **{**how, **counts})
        for act in acts:
            # onnxsim moves the 3 of this one into the convolution's bias
            merged = form == "sim" and act is spell.HardSigmoidByRelu6
            yield block(f"spell_{act.__name__}{suffix}", params=dict(act_layer=act, se_ratio=0.25),
                        **{**how, **(may if merged else {})})
        yield block(f"not_TanhGelu{suffix}", params=dict(act_layer=spell.TanhGelu),
                    **{**how, **may, "whole": 0})
        if exporter != "ts1":
            yield block(f"spell_LibraryAttention{suffix}", kind=spell.LibraryAttention,
                        **{**how, **may})


def odd_shapes():
    """Maps that divide in one direction, thin maps, even kernels, open batches."""
    for i, (h, w) in enumerate(((14, 9), (9, 14), (7, 30), (30, 7), (1, 100), (100, 1), (2, 2),
                                (6, 8), (13, 14), (8, 6))):
        exporter, form, opsets = FORMS[i % len(FORMS)]
        yield block(f"shape_{h}x{w}", shape=(1 + i % 2, 16, h, w), exporter=exporter, form=form,
                    opset=opsets[0])
    for k in (2, 4):
        yield block(f"even_kernel_{k}", params=dict(dw_ks=k, has_skip=False))
        yield block(f"even_kernel_{k}_stride", params=dict(dw_ks=k, stride=2), form="raw")
    yield block("ratio_1_5", params=dict(exp_ratio=1.5))
    yield block("dilation_3_k5", params=dict(dilation=3, dw_ks=5, has_skip=False))
    yield block("dilation_stride", params=dict(dilation=2, stride=2, dw_ks=5), form="raw")
    yield block("half_all_raw", half="all", opset=15, form="raw")
    yield block("half_weights_raw", half="weights", opset=15, form="raw")
    yield block("half_weights_ln", params=dict(norm_layer="ln_2d", act_layer="gelu", se_ratio=0.5),
                half="weights", opset=15, whole=None, core=None, unfused=None)
    yield block("half_all_dynamo", half="all", opset=18, exporter="dynamo")
    yield block("dynamic_global", dynamic=True, params=dict(window_size=0), traced_at=(1, 16, 5, 6),
                form="raw")
    yield block("dynamic_everything", 24, dynamic=True, traced_at=(2, 24, 9, 9), form="raw",
                shape=(2, 24, 11, 16), params=dict(
                    exp_ratio=2.0, norm_layer="gn", norm_groups=3, act_layer="hswish", dw_ks=5,
                    se_ratio=0.25, dim_head=6, window_size=5, qkv_bias=True, v_group=True))
    yield block("dynamic_ln_pre", dynamic=True, traced_at=(1, 16, 9, 9), form="raw",
                params=dict(norm_layer="ln_2d", act_layer="gelu", attn_pre=True), **TS2)
    yield block("dynamic_to_divisible", dynamic=True, traced_at=(1, 16, 9, 9), form="raw",
                shape=(1, 16, 14, 7))


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


def new():
    return [*other_words(), *odd_shapes()]


def large():
    return [*committed(), *head_sizes(), *random_blocks(140), *relatives_in_all_forms(),
            *other_words(), *odd_shapes(), *more_models()]
