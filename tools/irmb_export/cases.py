"""The cases of the golden vectors: what is built, how it is exported, what a reader shall make of it."""
from dataclasses import dataclass
from typing import Callable, Optional, Tuple

from torch import nn

from . import relatives as rel
from . import spellings as spell
from . import yolo
from .irmb import ConvNormAct, iRMB
from .layout import ChunkLayout, EinopsLayout, PlainLayout


@dataclass
class Case:
    """One exported model.

    exporter: ts1 (TorchScript of PyTorch 1.13), ts2 (TorchScript of PyTorch 2.x), dynamo, or
    node (TorchScript with irmb::iRMB nodes).
    form: raw, slim (onnxslim) or sim (onnxsim).
    whole, core, unfused: iRMBs by what becomes of them; None where a reader may choose.
    throws: the file cannot give what the module gives and must be refused.
    """
    name: str
    build: Callable[[], nn.Module]
    shape: Tuple[int, ...] = (1, 16, 9, 11)
    exporter: str = "ts1"
    opset: int = 13
    form: str = "slim"
    whole: Optional[int] = 1
    core: Optional[int] = 0
    unfused: Optional[int] = 0
    dynamic: bool = False
    traced_at: Optional[Tuple[int, ...]] = None
    half: str = ""           # "weights": float16 initializers; "all": float16 inside; "io": everywhere
    external: bool = False   # weights in a file of their own
    keep_norms: bool = False # batch norms stay nodes
    throws: bool = False
    metadata: Optional[dict] = None
    params: Optional[dict] = None


def block(name, dim=16, dim_out=None, *, shape=None, layout=EinopsLayout, kind=iRMB, params=None,
          **options):
    """A case of one block with constructor parameters `params`."""
    params = params or {}
    shape = shape or (1, dim, 9, 11)
    build = lambda: kind(dim, dim_out or dim, layout=layout, **params)
    return Case(name, build, shape, params=dict(dim_in=dim, dim_out=dim_out or dim, **params),
                **options)


RAW = dict(form="raw")
TS2 = dict(exporter="ts2")
DYNAMO = dict(exporter="dynamo", form="raw", opset=18)
NODE = dict(exporter="node", form="raw")


def grid():
    """Every constructor parameter, over the exporters' forms."""
    return [
        # sizes, windows, batches
        block("default_slim"),
        block("default_raw", **RAW),
        block("size_13x17", shape=(1, 16, 13, 17)),
        block("default_sim", form="sim"),
        block("size_7x7", shape=(1, 16, 7, 7)),
        block("size_7x7_raw", shape=(1, 16, 7, 7), **RAW),
        block("size_6x5", shape=(1, 16, 6, 5)),
        block("size_80x80", 8, shape=(1, 8, 80, 80)),
        block("size_14x21_raw", shape=(1, 16, 14, 21), **RAW, **TS2),
        block("size_1x1", shape=(1, 16, 1, 1)),
        block("size_9x28", shape=(1, 16, 9, 28), opset=16),
        block("batch2", shape=(2, 16, 9, 11)),
        block("batch2_raw", shape=(2, 16, 9, 11), **RAW, **TS2, opset=17),
        block("batch3_global_raw", shape=(3, 16, 5, 6), params=dict(window_size=0), **RAW),
        block("window_global", shape=(1, 16, 7, 9), params=dict(window_size=0)),
        block("window_negative_raw", shape=(1, 16, 9, 7), params=dict(window_size=-1), **RAW, **TS2),
        block("window_is_map", shape=(1, 16, 8, 8), params=dict(window_size=8)),
        block("window_larger_than_map", shape=(1, 16, 5, 4), params=dict(window_size=9)),
        block("window_4_head_4", params=dict(window_size=4, dim_head=4)),
        block("window_1", shape=(1, 16, 4, 5), params=dict(window_size=1)),
        # heads and channels
        block("one_head", params=dict(dim_head=16)),
        block("dim_32_head_16", 32, params=dict(dim_head=16)),
        block("dim_24_head_3", 24, params=dict(dim_head=3)),
        block("head_1", 8, params=dict(dim_head=1)),
        block("exp_ratio_2", params=dict(exp_ratio=2.0)),
        block("exp_ratio_half", 32, params=dict(exp_ratio=0.5)),
        block("dim_out_24", dim_out=24),
        block("dim_out_8_raw", dim_out=8, **RAW),
        # norms
        block("norm_none", params=dict(norm_layer="none")),
        block("norm_in_false_raw", params=dict(norm_in=False), **RAW),
        block("norm_ln", params=dict(norm_layer="ln_2d")),
        block("norm_ln_raw_op17", params=dict(norm_layer="ln_2d"), **RAW, **TS2, opset=17),
        block("norm_in", params=dict(norm_layer="in_2d")),
        block("norm_gn", params=dict(norm_layer="gn", norm_groups=4)),
        block("norm_gn_one_group_raw", params=dict(norm_layer="gn", norm_groups=1), **RAW, **TS2),
        block("norm_bn_eps", params=dict(norm_eps=1e-3), keep_norms=True),
        # activations
        block("act_none", params=dict(act_layer="none")),
        block("act_relu6", params=dict(act_layer="relu6")),
        block("act_silu", params=dict(act_layer="silu")),
        block("act_gelu", params=dict(act_layer="gelu")),
        block("act_gelu_op20", params=dict(act_layer="gelu"), **TS2, opset=20),
        block("act_hswish_op11", params=dict(act_layer="hswish"), opset=11),
        block("act_hswish_op14", params=dict(act_layer="hswish"), opset=14),
        block("act_hsigmoid", params=dict(act_layer="hsigmoid")),
        block("act_sigmoid", params=dict(act_layer="sigmoid")),
        block("act_tanh", params=dict(act_layer="tanh")),
        block("act_mish", params=dict(act_layer="mish")),
        block("act_prelu", params=dict(act_layer="prelu")),
        # local branch
        block("dw_5", params=dict(dw_ks=5)),
        block("dw_1", params=dict(dw_ks=1)),
        block("stride_2", params=dict(stride=2)),
        block("stride_2_dw_5_raw", dim_out=24, params=dict(stride=2, dw_ks=5), **RAW),
        block("dilation_2", params=dict(dilation=2, has_skip=False)),
        block("no_skip", params=dict(has_skip=False)),
        block("no_skip_raw", params=dict(has_skip=False), **RAW, **TS2),
        block("se", params=dict(se_ratio=0.25)),
        block("se_silu_op18", params=dict(se_ratio=0.5, act_layer="silu"), **TS2, opset=18),
        block("se_prelu_raw", params=dict(se_ratio=0.25, act_layer="prelu"), **RAW),
        block("se_stride_2", params=dict(se_ratio=0.25, stride=2)),
        # attention
        block("qkv_bias", params=dict(qkv_bias=True)),
        block("qkv_bias_silu_raw", params=dict(qkv_bias=True, act_layer="silu"), **RAW),
        block("v_group", params=dict(v_group=True)),
        block("v_group_exp_2_bias", params=dict(v_group=True, exp_ratio=2.0, qkv_bias=True)),
        block("attn_pre", params=dict(attn_pre=True)),
        block("attn_pre_raw", params=dict(attn_pre=True, exp_ratio=2.0), **RAW),
        block("attn_pre_v_group_bias", params=dict(attn_pre=True, v_group=True, qkv_bias=True)),
        block("proj_bias", params=dict(proj_bias=True)),
        block("no_attention", params=dict(attn_s=False), whole=None, core=None, unfused=None),
        block("no_attention_no_v", params=dict(attn_s=False, v_proj=False), whole=None, core=None,
              unfused=None),
        block("no_attention_se_stride_raw", params=dict(attn_s=False, se_ratio=0.25, stride=2),
              whole=None, core=None, unfused=None, **RAW),
        block("emo_ln_gelu_pre_dw5", 32, params=dict(
            norm_layer="ln_2d", act_layer="gelu", attn_pre=True, dw_ks=5, qkv_bias=True,
            dim_head=32)),
        block("emo_ln_gelu_pre_dw5_raw", 32, params=dict(
            norm_layer="ln_2d", act_layer="gelu", attn_pre=True, dw_ks=5, qkv_bias=True,
            dim_head=32, exp_ratio=2.0), **RAW),
        block("everything_batch2", 24, shape=(2, 24, 9, 11), params=dict(
            exp_ratio=2.0, norm_layer="gn", norm_groups=3, act_layer="hswish", dw_ks=5,
            se_ratio=0.25, dim_head=6, window_size=5, qkv_bias=True, v_group=True,
            proj_bias=True)),
    ]


def forms():
    """One block in further spellings and exporters."""
    return [
        block("opset_11", opset=11),
        block("opset_11_raw", opset=11, **RAW),
        block("opset_12_sim", opset=12, form="sim"),
        block("opset_16_raw", opset=16, **RAW),
        block("ts2_raw_op17", **RAW, **TS2, opset=17),
        block("ts2_raw_op20", **RAW, **TS2, opset=20),
        block("ts2_slim_op19", **TS2, opset=19),
        block("plain_reshape_raw", layout=PlainLayout, **RAW),
        block("plain_reshape_slim", layout=PlainLayout),
        block("split_raw", layout=ChunkLayout, **RAW),
        block("split_slim", layout=ChunkLayout, opset=13),
        block("norms_kept_raw", keep_norms=True, **RAW),
        block("dynamo", **DYNAMO),
        block("dynamo_op20_silu_bias", params=dict(act_layer="silu", qkv_bias=True),
              exporter="dynamo", form="raw", opset=20),
        block("dynamo_7x7", shape=(1, 16, 7, 7), **DYNAMO),
        block("dynamo_external", external=True, **DYNAMO),
        block("dynamo_ln_gelu_pre", params=dict(norm_layer="ln_2d", act_layer="gelu", attn_pre=True),
              **DYNAMO),
        block("dynamo_se_hswish", params=dict(se_ratio=0.25, act_layer="hswish"), **DYNAMO),
        block("dynamo_slim", exporter="dynamo", opset=18, form="slim"),
        block("external_slim", external=True),
        block("dynamic", dynamic=True, traced_at=(1, 16, 10, 12), **RAW),
        block("dynamic_ts2", dynamic=True, traced_at=(1, 16, 10, 12), shape=(2, 16, 13, 17), **RAW,
              **TS2, opset=17),
        block("dynamic_plain", dynamic=True, traced_at=(2, 16, 9, 9), layout=PlainLayout, **RAW),
        block("dynamic_traced_divisible", dynamic=True, traced_at=(1, 16, 14, 14), throws=True, **RAW),
        block("half_weights", half="weights", opset=15),
        block("half_all", half="all", opset=15),
    ]


def nodes():
    """Files that hold the custom node already."""
    return [
        block("node_default", **NODE),
        block("node_batch2_emo", 32, shape=(2, 32, 6, 5), params=dict(
            norm_layer="ln_2d", act_layer="gelu", attn_pre=True, dw_ks=5, qkv_bias=True,
            dim_head=16, exp_ratio=2.0), **NODE),
        block("node_everything", 24, dim_out=16, params=dict(
            norm_layer="gn", norm_groups=3, act_layer="prelu", stride=2, se_ratio=0.25, dim_head=6,
            window_size=5, qkv_bias=True, v_group=True, proj_bias=True, exp_ratio=2.0), **NODE),
        block("node_no_attention", params=dict(attn_s=False, v_proj=False, norm_layer="in_2d"),
              **NODE),
        Case("node_in_context", lambda: InContext(iRMB(16, 16, window_size=0)), (1, 16, 6, 7), **NODE),
    ]


class InContext(nn.Module):
    """A convolution before and after the block."""

    def __init__(self, *blocks):
        super().__init__()
        first = blocks[0]
        channels = first.conv_local.conv.out_channels
        self.before = nn.Conv2d(channels, channels, 3, padding=1)
        self.blocks = nn.Sequential(*blocks)
        self.after = nn.Conv2d(blocks[-1].proj.conv.out_channels, 8, 1)

    def forward(self, x):
        return self.after(self.blocks(self.before(x)))


class UsedTwice(nn.Module):
    """The block's output feeds a convolution and is added to its result."""

    def __init__(self):
        super().__init__()
        self.block = iRMB(16, 16, layout=EinopsLayout)
        self.conv = nn.Conv2d(16, 16, 3, padding=1)

    def forward(self, x):
        y = self.block(x)
        return y + self.conv(y)


class InnerOutput(iRMB):
    """Gives an inner tensor as second output: "attention" (the un-partitioned map), "weights"
    (the softmax), or "local" (the local branch)."""

    def __init__(self, *args, which, **kwargs):
        super().__init__(*args, **kwargs)
        self.which = which

    def weigh(self, q, k):
        self.seen_weights = super().weigh(q, k)
        return self.seen_weights

    def forward(self, x):
        y = self.windowed(self.norm(x))
        local = self.local(y)
        out = x + self.proj(y + local)
        inner = dict(attention=y, weights=self.seen_weights, local=local)[self.which]
        return out, inner * 1.0


class FoldedNorm(nn.Module):
    """Convolution, batch norm of the block, no skip: the exporter folds the norm into the
    convolution and the block has none."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(8, 16, 3, padding=1)
        self.block = iRMB(16, 16, has_skip=False, layout=EinopsLayout)

    def forward(self, x):
        return self.block(self.conv(x))


def c2f_block(c):
    return iRMB(c, c, dim_head=16, act_layer="silu", proj_bias=True, norm_eps=yolo.NORM_EPS,
                layout=EinopsLayout)


class C2fBottleneck(nn.Module):
    """Convolutions followed by an iRMB, as a C2f's inner block."""

    def __init__(self, c):
        super().__init__()
        self.cv1, self.cv2 = yolo.Conv(c, c, 3), yolo.Conv(c, c, 3)
        self.irmb = iRMB(c, c, norm_eps=yolo.NORM_EPS, layout=EinopsLayout)

    def forward(self, x):
        return x + self.irmb(self.cv2(self.cv1(x)))


class EmoStage(nn.Module):
    """Stem, a downsampling block without attention, two blocks with it."""

    def __init__(self):
        super().__init__()
        common = dict(dim_head=16, dw_ks=5, attn_pre=True, qkv_bias=True, layout=EinopsLayout)
        late = dict(norm_layer="ln_2d", act_layer="gelu", exp_ratio=2.0)
        self.stem = ConvNormAct(3, 16, 3, 2, norm_layer="bn_2d", act_layer="silu")
        self.down = iRMB(16, 32, stride=2, attn_s=False, exp_ratio=2.0, act_layer="silu", dw_ks=5)
        self.blocks = nn.Sequential(*(iRMB(32, 32, **late, **common) for _ in range(2)))

    def forward(self, x):
        return self.blocks(self.down(self.stem(x)))


def contexts():
    """Blocks among other layers."""
    wild = dict(layout=EinopsLayout)
    pair = lambda: InContext(iRMB(16, 16, **wild), iRMB(16, 16, act_layer="silu", **wild))
    inner = lambda which: (lambda: InnerOutput(16, 16, which=which, **wild))
    return [
        Case("two_in_a_row", pair, whole=2),
        Case("two_in_a_row_raw", pair, whole=2, **RAW),
        Case("output_used_twice", UsedTwice),
        Case("inner_output_attention", inner("attention"), whole=0, core=1),
        Case("inner_output_local", inner("local"), whole=0, core=1),
        Case("inner_output_weights", inner("weights"), whole=0, core=0, unfused=None),
        Case("c2f_block", lambda: yolo.C2f(32, 32, 2, block=c2f_block), (1, 32, 9, 10), whole=2),
        Case("c2f_block_raw", lambda: yolo.C2f(32, 32, 2, block=c2f_block), (1, 32, 9, 10), whole=2,
             **RAW),
        Case("c2f_bottleneck", lambda: yolo.C2f(16, 32, 1, block=C2fBottleneck)),
        Case("emo_stage", EmoStage, (1, 3, 37, 41), whole=None, core=0, unfused=None),
        Case("folded_norm", FoldedNorm, (1, 8, 9, 11)),
        Case("folded_norm_raw", FoldedNorm, (1, 8, 9, 11), **RAW, **TS2),
    ]


def tails():
    """Relatives with another local branch: the attention may be fused alone."""
    core = dict(whole=0, core=1)
    return [
        block("core_dilated_branches", kind=rel.DilatedIrmb, **core),
        block("core_dilated_branches_raw", kind=rel.DilatedIrmb, **core, **RAW),
        block("core_shift_branches", kind=rel.ShiftIrmb, **core),
        block("core_relu_local", kind=rel.ReluLocalIrmb, **core),
        block("core_grouped_local", kind=rel.GroupedLocalIrmb, **core),
        block("core_hard_gate", kind=rel.HardGateIrmb, params=dict(se_ratio=0.25), **core),
    ]


def lookalikes():
    """Other mathematics: nothing may be fused."""
    never = dict(whole=0, core=0, unfused=None)
    no_irmb = dict(whole=0, core=0, unfused=0)
    tail_differs = dict(whole=0, core=None, unfused=None)
    negative = lambda name, kind, **kw: block("not_" + name, kind=kind, **{**never, **kw})
    return [
        block("not_contiguous_windows", layout=rel.ContiguousWindows, **never),
        block("not_contiguous_windows_raw", layout=rel.ContiguousWindows, **never, **RAW),
        block("not_interleaved_qk", layout=rel.InterleavedQk, **never),
        block("not_interleaved_heads", layout=rel.InterleavedHeads, **never),
        negative("norm_after_pad", rel.NormAfterPad),
        negative("masked_padding", rel.MaskedPadding),
        negative("scale_from_channels", rel.ScaleFromChannels),
        negative("learned_temperature", rel.LearnedTemperature),
        negative("clamped_softmax", rel.ClampedSoftmax),
        negative("renormalised_softmax", rel.RenormalisedSoftmax),
        negative("softmax_over_queries", rel.SoftmaxOverQueries, shape=(1, 16, 9, 8)),
        negative("position_bias", rel.PositionBias),
        negative("cascaded_attention", rel.CascadedIrmb),
        negative("multi_scale_attention", rel.MultiScaleIrmb),
        negative("norm_after_projection", rel.NormAfterProjection, keep_norms=True, whole=None,
                 core=None),
        negative("no_inner_residual", rel.NoInnerResidual, **tail_differs),
        negative("shortcut_after_norm", rel.ShortcutAfterNorm, **tail_differs),
        Case("not_plain_attention", lambda: rel.PlainAttention(16), **no_irmb),
        Case("not_mobile_block", lambda: rel.MobileBlock(16), **no_irmb),
        Case("not_psa", lambda: yolo.PSA(32), (1, 32, 6, 5), **no_irmb),
        Case("not_psa_raw", lambda: yolo.PSA(32), (1, 32, 6, 5), **no_irmb, **RAW),
    ]


def metadata(names, height, width):
    """What the Ultralytics exporter writes into a file."""
    return {"description": "tiny golden model", "author": "Vigil", "version": "0",
            "stride": "32", "task": "detect", "batch": "1", "imgsz": f"[{height}, {width}]",
            "names": str(dict(enumerate(names)))}


def spelled():
    """True iRMBs in other words, and one activation that iRMB does not have."""
    return [
        block("spell_channel_norm_raw", kind=spell.ChannelNormIrmb, **RAW),
        block("spell_scaled_queries", kind=spell.ScaledQueries),
        block("spell_divided_logits", kind=spell.DividedLogits),
        block("spell_norm_behind_v", kind=spell.NormedV),
        block("spell_norm_behind_qk", kind=spell.NormedQk),
        block("spell_pooled_squeeze", kind=spell.PooledSqueeze, params=dict(se_ratio=0.25)),
        block("spell_slope_per_channel", kind=spell.SlopePerChannel),
        block("spell_hswish_by_relu6", params=dict(act_layer=spell.HardSwishByRelu6)),
        block("spell_mish_by_softplus_dynamo", params=dict(act_layer=spell.MishBySoftplus),
              **DYNAMO),
        block("not_tanh_gelu_op20", params=dict(act_layer=spell.TanhGelu), whole=0, core=0,
              unfused=None, exporter="ts2", opset=20),
    ]


def models():
    """Whole detectors."""
    irmb = lambda c: iRMB(c, c, norm_eps=yolo.NORM_EPS, layout=EinopsLayout)
    in_c2f = lambda c: iRMB(c, c, dim_head=4, act_layer="silu", proj_bias=True,
                            norm_eps=yolo.NORM_EPS, layout=EinopsLayout)
    street = metadata(["person", "bicycle", "car"], 96, 128)
    odd = metadata(["it's", 'a "dog"', "vélo, blue", "{x: 1}"], 64, 64)
    two = metadata(["person", "truck"], 64, 64)
    return [
        Case("yolo_raw", lambda: yolo.TinyYolo(3, irmb), (1, 3, 96, 128), whole=3, form="raw",
             metadata=street),
        Case("yolo_end2end_slim", lambda: yolo.TinyYolo(
            3, irmb, tail=yolo.TailTwoGathers(3, 50)), (1, 3, 96, 128), whole=3, metadata=street),
        Case("yolo_c2f_end2end_ts2", lambda: yolo.TinyYolo(
            4, irmb, block=in_c2f, tail=yolo.TailIndexing(4, 300)), (1, 3, 64, 64), whole=6,
             form="raw", metadata=odd, **TS2, opset=17),
        Case("yolo_without_irmb", lambda: yolo.TinyYolo(
            2, lambda c: nn.Identity(), tail=yolo.TailTwoGathers(2, 40)), (1, 3, 64, 64), whole=0,
             metadata=two),
    ]


def committed():
    """All cases of tests/golden."""
    return (grid() + forms() + nodes() + contexts() + tails() + spelled() + lookalikes() + models())
