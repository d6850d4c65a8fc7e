"""The node `irmb::iRMB` in numpy, written from docs/irmb-node.md alone, for onnx.reference.

Checks exported nodes where ONNX Runtime cannot run them. Double precision, one loop per window.
"""
import math

import numpy as np
from onnx.reference.op_run import OpRun

_erf = np.vectorize(math.erf)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


ACTIVATIONS = {
    "none": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.clip(x, 0, 6),
    "silu": lambda x: x * sigmoid(x),
    "gelu": lambda x: 0.5 * x * (1 + _erf(x / np.sqrt(2))),
    "hswish": lambda x: x * np.clip(x + 3, 0, 6) / 6,
    "hsigmoid": lambda x: np.clip(x + 3, 0, 6) / 6,
    "sigmoid": sigmoid,
    "tanh": np.tanh,
    "mish": lambda x: x * np.tanh(np.log1p(np.exp(x))),
}


def conv1x1(x, weight, bias=None, groups=1):
    b, c, h, w = x.shape
    out = weight.shape[0]
    x = x.reshape(b, groups, c // groups, h * w)
    weight = weight.reshape(groups, out // groups, c // groups)
    y = np.einsum("goc,bgcn->bgon", weight, x).reshape(b, out, h, w)
    return y if bias is None else y + bias[:, None, None]


def depthwise(x, weight, bias, stride, dilation):
    k = weight.shape[-1]
    pad = max(0, math.ceil((k - stride) / 2))
    x = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    h = (x.shape[2] - dilation * (k - 1) - 1) // stride + 1
    w = (x.shape[3] - dilation * (k - 1) - 1) // stride + 1
    y = np.zeros(x.shape[:2] + (h, w)) + bias[:, None, None]
    for i in range(k):
        for j in range(k):
            rows = slice(i * dilation, i * dilation + stride * (h - 1) + 1, stride)
            columns = slice(j * dilation, j * dilation + stride * (w - 1) + 1, stride)
            y += weight[:, 0, i, j][:, None, None] * x[:, :, rows, columns]
    return y


def normalise(x, kind, eps, groups, scale, shift):
    scale, shift = scale[:, None, None], shift[:, None, None]
    if kind == "bn_2d":
        return x * scale + shift
    b, c, h, w = x.shape
    if kind == "ln_2d":
        mean, var = x.mean(1, keepdims=True), x.var(1, keepdims=True)
    else:
        parts = x.reshape(b, c if kind == "in_2d" else groups, -1)
        shape = (b, parts.shape[1], 1)
        mean, var = (np.repeat(s(2).reshape(shape), c // shape[1], 1).reshape(b, c, 1, 1)
                     for s in (parts.mean, parts.var))
    return (x - mean) / np.sqrt(var + eps) * scale + shift


class iRMB(OpRun):
    op_domain = "irmb"

    def _run(self, x, *weights, part="block", dim_mid=None, dim_out=None, norm_layer="bn_2d",
             norm_eps=1e-6, norm_groups=1, act_layer="relu", attn_s=1, v_proj=1, v_group=0,
             attn_pre=0, qk_bias=0, v_bias=0, proj_bias=0, dim_head=8, window_size=7, dw_ks=3,
             stride=1, dilation=1, se_channels=0, has_skip=1):
        queue = [w.astype(np.float64) for w in weights]
        take = lambda present=True: queue.pop(0) if present else None
        c = x.shape[1]
        shortcut = x = x.astype(np.float64)
        prelu = act_layer == "prelu"

        def act(t, slope):
            if prelu:
                return np.where(t > 0, t, t * slope.reshape(-1, 1, 1))
            return ACTIVATIONS[act_layer](t)

        if norm_layer != "none":
            x = normalise(x, norm_layer, norm_eps, norm_groups, take(), take())
        qk_w, qk_b = take(attn_s), take(attn_s and qk_bias)
        has_v = attn_s or v_proj
        v_w, v_b, v_slope = take(has_v), take(has_v and v_bias), take(has_v and prelu)
        groups = c // dim_head if v_group else 1
        v = lambda t: act(conv1x1(t, v_w, v_b, groups), v_slope) if has_v else t
        y = self.windows(x, qk_w, qk_b, v, dim_head, window_size, attn_pre) if attn_s else v(x)
        if part == "block":
            local = depthwise(y, take(), take(), stride, dilation)
            local = local * sigmoid(local)
            if se_channels:
                mean = local.mean((2, 3), keepdims=True)
                reduced = conv1x1(mean, take(), take())
                reduced = act(reduced, take(prelu))
                local = local * sigmoid(conv1x1(reduced, take(), take()))
            y = conv1x1(y + local if has_skip else local, take(), take(proj_bias))
            y = shortcut + y if has_skip else y
        assert not queue, "more weights than the attributes call for"
        return (y.astype(np.float32),)

    @staticmethod
    def windows(x, qk_w, qk_b, v, dim_head, size, attn_pre):
        b, c, h, w = x.shape
        wh, ww = (size, size) if size > 0 else (h, w)
        n1, n2 = -(-h // wh), -(-w // ww)
        x = np.pad(x, ((0, 0), (0, 0), (0, n1 * wh - h), (0, n2 * ww - w)))
        out = None
        for i in range(n1):
            for j in range(n2):
                window = x[:, :, i::n1, j::n2]
                qk = conv1x1(window, qk_w, qk_b).reshape(b, 2, c // dim_head, dim_head, -1)
                logits = np.einsum("bgdn,bgdm->bgnm", qk[:, 0], qk[:, 1]) / np.sqrt(dim_head)
                weights = np.exp(logits - logits.max(-1, keepdims=True))
                weights /= weights.sum(-1, keepdims=True)
                t = window if attn_pre else v(window)
                t = t.reshape(b, c // dim_head, -1, wh * ww)
                t = np.einsum("bgnm,bgdm->bgdn", weights, t).reshape(b, -1, wh, ww)
                t = v(t) if attn_pre else t
                if out is None:
                    out = np.zeros((b, t.shape[1]) + x.shape[2:])
                out[:, :, i::n1, j::n2] = t
        return out[:, :, :h, :w]
