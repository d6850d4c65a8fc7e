"""Export of trained detectors: python -m irmb_export export weights.pt out.onnx"""
import argparse
import sys
from pathlib import Path

from . import checkpoint, export
from .check import CheckFailed, check
from .checkpoint import CheckpointError
from .network import build

EXAMPLES = """examples:
  python -m irmb_export export best.pt best.onnx
      each iRMB becomes one node irmb::iRMB, which Vigil runs
  python -m irmb_export export best.pt best.onnx --standard-ops
      for every runtime; Vigil fuses the iRMBs when it reads the file
  python -m irmb_export export best.pt best.onnx --imgsz 384 640 --no-tail
      another input size, height then width, and the one-to-one head without its tail
  python -m irmb_export export best.pt best.onnx --run-code ~/their/yolov10
      modules that are not known are taken from the checkpoint's own source code, which is run
  python -m irmb_export export best.pt best.onnx --as-irmb RMB
      the class RMB is an iRMB under another name
"""


def add_export(commands):
    parser = commands.add_parser(
        "export", help="write a checkpoint of Ultralytics or THU-MIG/yolov10 as ONNX",
        epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", help="the .pt that training saved")
    parser.add_argument("out", help="the .onnx to write")
    parser.add_argument("--standard-ops", action="store_true",
                        help="write iRMBs as standard operators instead of nodes irmb::iRMB")
    parser.add_argument("--imgsz", type=int, nargs="+", metavar="N",
                        help="input size, one side or height and width [as trained, else 640]")
    parser.add_argument("--batch", type=int, default=1, help="images per pass [1]")
    parser.add_argument("--opset", type=int, default=13, choices=export.OPSETS, metavar="N",
                        help="ONNX opset, 11 to 20 [13]")
    parser.add_argument("--no-tail", action="store_true",
                        help="end at the head [B, 4 + classes, N] instead of [B, 300, 6]")
    parser.add_argument("--run-code", metavar="DIR",
                        help="run the checkpoint's code, looked for in DIR and among the installed "
                        "packages: only for checkpoints that you trust")
    parser.add_argument("--as-irmb", metavar="CLASS", nargs="+", default=[],
                        help="take these classes for the published iRMB where the checkpoint leaves "
                        "doubts: only if you know their code")
    parser.add_argument("--vigil", metavar="FILE", help="the program vigil, for the check")
    parser.add_argument("--no-check", action="store_true", help="do not compare with PyTorch")


def load(args):
    """(network, adoption, facts) of the checkpoint."""
    if args.run_code:
        print(f"warning: running code that '{args.weights}' refers to; a checkpoint can make it do "
              "anything", file=sys.stderr)
        if not Path(args.run_code).is_dir():
            raise CheckpointError(f"--run-code: '{args.run_code}' is no folder")
        sys.path.insert(0, args.run_code)
    model, facts = checkpoint.load(args.weights, trusted=bool(args.run_code))
    network, adoption = build(model, with_tail=not args.no_tail, as_irmb=args.as_irmb)
    return model, network, adoption, facts


def run_export(args):
    from .network import class_names
    model, network, adoption, facts = load(args)
    stride = int(max(network.head.strides))
    size = export.image_size(args.imgsz, facts, stride)
    names = class_names(model, network.head.nc)
    for remark in adoption.remarks:
        print(f"note: {remark}", file=sys.stderr)
    if not adoption.blocks:
        print("note: no iRMB was found", file=sys.stderr)
    elif not args.run_code:
        kinds = ", ".join(sorted({kind for _, kind in adoption.blocks}))
        print(f"{len(adoption.blocks)} iRMBs recognised by their structure: {kinds}; that they compute "
              "what iRMBs do, only their code could tell (--run-code)")
    export.try_out(network, size, args.batch)
    whole, core, standard = export.export_model(
        network, args.out, names=names, stride=stride, size=size, batch=args.batch,
        opset=args.opset, standard_ops=args.standard_ops, facts=facts)
    print(f"{args.out}: {size[0]}x{size[1]}, {len(names)} classes; iRMBs: {whole} as one node, "
          f"{core} with their attention as a node, {standard} as standard operators")
    if args.no_check:
        return
    try:
        line = check(network, args.out, size, args.batch, whole + core > 0, args.vigil)
    except CheckFailed as error:
        Path(args.out).unlink()
        raise CheckFailed(f"{error}. '{args.out}' was removed; --no-check keeps it")
    print(line or "NOT CHECKED: " + (
        "give the program vigil with --vigil" if whole + core else "install onnxruntime"))


def main():
    parser = argparse.ArgumentParser(prog="python -m irmb_export", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    add_export(commands)
    args = parser.parse_args()
    try:
        run_export(args)
    except (CheckpointError, CheckFailed) as error:
        sys.exit(f"irmb_export: error: {error}")


if __name__ == "__main__":
    main()
