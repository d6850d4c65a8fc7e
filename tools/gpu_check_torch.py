"""Times iRMB blocks, YOLOv10's attention and YOLOv10n-iRMB in PyTorch on a GPU.

gpu_check.py runs it where torch is there.

Prints one JSON object. float32 is true float32: TF32 is switched off.
"""
import json
import statistics
import sys
import time
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent))
from irmb_export.irmb import iRMB  # noqa: E402

WARMUP, PASSES = 20, 100
MODES = {"eager": None, "compiled": "default", "compiled_reduce_overhead": "reduce-overhead"}
PRECISIONS = {"fp32": torch.float32, "fp16": torch.float16}


def median_ms(module, x):
    """Median time of one forward pass, from the call to the end of the GPU's work."""
    times = []
    with torch.inference_mode():
        for i in range(WARMUP + PASSES):
            torch.cuda.synchronize()
            start = time.perf_counter()
            module(x)
            torch.cuda.synchronize()
            if i >= WARMUP:
                times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times)


def device_us(module, x):
    """Time of one forward pass among many in a row, by the clock of the GPU."""
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    with torch.inference_mode():
        for _ in range(WARMUP):
            module(x)
        start.record()
        for _ in range(PASSES):
            module(x)
        end.record()
        end.synchronize()
    return 1000 * start.elapsed_time(end) / PASSES


def in_modes(make, x, measure):
    """{mode: figure or the reason why there is none}"""
    figures = {}
    for name, mode in MODES.items():
        torch.compiler.reset()
        module = make()
        try:
            figures[name] = measure(torch.compile(module, mode=mode) if mode else module, x)
        except Exception as error:  # a compiler may lack what it needs; the others still count
            figures[name] = f"{type(error).__name__}: {error}".splitlines()[0][:200]
    return figures


def blocks():
    for channels, side in ((64, 80), (128, 40), (256, 20)):
        for precision, dtype in PRECISIONS.items():
            x = torch.rand(1, channels, side, side, device="cuda", dtype=dtype)
            figures = in_modes(lambda: iRMB(channels, channels).eval().to("cuda", dtype), x,
                               device_us)
            yield {"channels": channels, "side": side, "precision": precision, "us": figures}


class Attention(torch.nn.Module):
    """The attention of YOLOv10's PSA without its convolutions: the map has q, k and v."""

    def __init__(self, heads, dim_key, dim_value):
        super().__init__()
        self.heads, self.parts = heads, (dim_key, dim_key, dim_value)

    def forward(self, x):
        batch, _, height, width = x.shape
        q, k, v = x.view(batch, self.heads, -1, height * width).split(self.parts, 2)
        weights = (q.transpose(-2, -1) @ k * self.parts[0] ** -0.5).softmax(-1)
        return (v @ weights.transpose(-2, -1)).view(batch, -1, height, width), v


def attention():
    for heads, side in ((2, 20), (5, 20)):
        for precision, dtype in PRECISIONS.items():
            x = torch.rand(1, heads * 128, side, side, device="cuda", dtype=dtype)
            yield {"heads": heads, "side": side, "precision": precision,
                   "us": in_modes(lambda: Attention(heads, 32, 64), x, device_us)}


def models():
    try:
        from irmb_train.model import YoloV10Irmb
    except ImportError:
        return
    for precision, dtype in PRECISIONS.items():
        x = torch.rand(1, 3, 640, 640, device="cuda", dtype=dtype)
        figures = in_modes(lambda: YoloV10Irmb(80).eval().to("cuda", dtype), x, median_ms)
        yield {"model": "YOLOv10n-iRMB", "precision": precision, "ms": figures}


def main():
    if not torch.cuda.is_available():
        sys.exit("gpu_check_torch: torch sees no CUDA device")
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    json.dump({"torch": torch.__version__, "blocks": list(blocks()),
               "attention": list(attention()), "models": list(models())}, sys.stdout)


if __name__ == "__main__":
    main()
