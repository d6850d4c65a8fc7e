"""Makes the golden vectors: python -m irmb_export.golden OUT [--old-python PYTHON] [--only TEXT]

Writes OUT/<case>/model.onnx with the input and expected outputs as .npy, OUT/manifest.json, and
OUT/cases.txt for the C++ test. Needs torch >= 2.5, onnx, onnxruntime, onnxscript, onnxslim,
onnxsim, onnxconverter-common and einops; the cases of PyTorch 1.13 are exported by --old-python.
"""
import argparse
import copy
import importlib
import json
import os
import subprocess
import sys
import warnings
import zlib
from pathlib import Path

import numpy as np
import torch

from .node import with_nodes
from .weights import random_input, randomise
from .yolo import DFL, TinyYolo

IS_OLD = int(torch.__version__.split(".")[0]) < 2


def seed_of(case):
    return zlib.crc32(case.name.encode()) & 0x7FFFFFFF


def build(case):
    """The case's module with its weights; `built.end2end` tells whether a tail follows the head."""
    model = randomise(case.build(), seed_of(case))
    for module in model.modules():
        if isinstance(module, DFL):
            module.set_weights()
    return model.requires_grad_(False)


def input_of(case):
    x = random_input(case.shape, 1)
    if isinstance(case.metadata, dict):
        x = (1 / (1 + np.exp(-x))).astype(np.float32)  # an image: 0..1
    return x.astype(np.float16).astype(np.float32) if case.half else x


def outputs_of(model, x):
    """Outputs of a double-precision forward pass."""
    with torch.no_grad():
        y = copy.deepcopy(model).double()(torch.from_numpy(x).double())
    return [t.numpy() for t in (y if isinstance(y, (tuple, list)) else [y])]


def export(case, path):
    """Writes the raw ONNX file of `case`."""
    model = build(case)
    traced_at = random_input(case.traced_at, 1) if case.traced_at else input_of(case)
    with torch.no_grad():
        count = len(outputs_of(model, traced_at))
    names = dict(input_names=["images"], output_names=[f"output{i}" for i in range(count)])
    args = (torch.from_numpy(traced_at),)
    if case.exporter == "node":
        model = with_nodes(model)
        names.update(custom_opsets={"irmb": 1}, autograd_inlining=False)
    if case.exporter == "dynamo":
        torch.onnx.export(model, args, str(path), dynamo=True, opset_version=case.opset,
                          external_data=case.external, **names)
        return
    options = dict(opset_version=case.opset, **names)
    if case.keep_norms:
        options.update(training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False)
    if case.dynamic:
        options["dynamic_axes"] = {"images": {0: "batch", 2: "height", 3: "width"}}
    if not IS_OLD:
        options["dynamo"] = False
    torch.onnx.export(model, args, str(path), **options)


def export_all(cases, out):
    warnings.filterwarnings("ignore")
    for case in cases:
        if (case.exporter == "ts1") == IS_OLD:
            folder = out / case.name
            folder.mkdir(parents=True, exist_ok=True)
            for stale in folder.iterdir():
                stale.unlink()
            try:
                export(case, folder / "model.onnx")
            except Exception as error:  # one bad case must not hide the others
                print(f"{case.name}: {error}", file=sys.stderr)


def finish(case, out):
    """Simplifies, rewrites and verifies an exported case; returns its entry of the manifest."""
    from . import onnx_forms as forms
    folder, path = out / case.name, out / case.name / "model.onnx"
    x, model = input_of(case), build(case)
    forms.rewrite(case, path)
    expected = forms.rounded_outputs(path, x) if case.half else outputs_of(model, x)
    if not case.throws:
        forms.verify(case, path, x, expected)
    input_name = "inputs/" + "x".join(map(str, case.shape)) + \
        ("_half" if case.half else "") + ("_image" if case.metadata else "") + ".npy"
    (out / "inputs").mkdir(exist_ok=True)
    np.save(out / input_name, x)
    files = []
    for i, y in enumerate(expected):
        files.append(f"{case.name}/expected{i or ''}.npy")
        np.save(out / files[-1], y.astype(np.float32))
    entry = dict(name=case.name, model=f"{case.name}/model.onnx", input=input_name, expected=files,
                 shape=case.shape, exporter=case.exporter, form=case.form, opset=case.opset,
                 whole=case.whole, core=case.core, unfused=case.unfused, throws=case.throws,
                 params=case.params)
    if isinstance(model, TinyYolo) and len(list(model.tail.parameters())) == 0 \
            and not isinstance(model.tail, torch.nn.Identity):
        model.tail = torch.nn.Identity()
        entry["head"] = f"{case.name}/expected_head.npy"
        np.save(out / entry["head"], outputs_of(model, x)[0].astype(np.float32))
    return entry


def write_manifest(out, entries):
    (out / "manifest.json").write_text(json.dumps(entries, indent=1, default=lambda kind: kind.__name__) + "\n")
    any_count = lambda n: "-" if n is None else str(n)
    lines = ["# name input expected[,expected...] head whole core unfused throws; - is any or none"]
    for e in entries:
        counts = " ".join(any_count(e[key]) for key in ("whole", "core", "unfused"))
        lines.append(f"{e['name']} {e['input']} {','.join(e['expected'])} {e.get('head', '-')} "
                     f"{counts} {int(e['throws'])}")
    (out / "cases.txt").write_text("\n".join(lines) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--old-python", help="an interpreter with PyTorch 1.13, onnx and einops")
    parser.add_argument("--cases", default="irmb_export.cases:committed",
                        help="module:function that lists the cases")
    parser.add_argument("--only", default="", help="only cases whose name contains this")
    parser.add_argument("--export-only", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    module, function = args.cases.split(":")
    cases = [c for c in getattr(importlib.import_module(module), function)()
             if args.only in c.name]
    if len({c.name for c in cases}) != len(cases):
        parser.error("two cases have the same name")
    args.out.mkdir(parents=True, exist_ok=True)
    export_all(cases, args.out)
    if args.export_only:
        return
    if any(c.exporter == "ts1" for c in cases):
        if not args.old_python:
            parser.error("some cases need --old-python, an interpreter with PyTorch 1.13")
        subprocess.run([args.old_python, "-m", "irmb_export.golden", str(args.out), "--cases",
                        args.cases, "--only", args.only, "--export-only"], check=True,
                       env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])})
    entries, failures = [], []
    for case in cases:
        try:
            entries.append(finish(case, args.out))
        except Exception as error:  # one bad case must not hide the others
            failures.append(f"{case.name}: {error}")
    if not args.only:
        write_manifest(args.out, entries)
    print(f"{len(entries)} cases in {args.out}, {len(failures)} failed")
    sys.exit("\n".join(failures) if failures else 0)


if __name__ == "__main__":
    main()
