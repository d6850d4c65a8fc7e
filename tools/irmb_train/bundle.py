"""Packs code, pictures and teacher into one file for a machine that has only PyTorch, torchvision
and OpenCV, and if possible ONNX Runtime, in which the teacher is faster. There:

    tar -xf bundle.tgz && cd bundle && ./train.sh
"""
import argparse
import io
import sys
import tarfile
from pathlib import Path

from .sources import CLIPS, HELD_OUT_CLIPS, training_images

LARGEST_CLIP = "videos/intel_one-by-one-person-detection.mp4"
TOOLS = Path(__file__).parents[1]
START = """#!/bin/sh
# Makes canvases, then trains; goes on where it stopped.
set -e
cd "$(dirname "$0")"
python3 -m irmb_train.canvases --data data --teacher data/teacher.onnx --output canvases \\
    --shards 60 --processes "$(nproc)"
python3 -m irmb_train.train --canvases canvases --output run --size 640 \\
    --imitate data/teacher.onnx --workers "$(nproc)" "$@"
"""


def chosen(root):
    """Files of the data folder that go into the bundle: every third frame of the recordings, every
    second or fourth vehicle picture, all of the rest that is used but the largest clip, of which
    few frames are."""
    people = sorted((root / "datasets/people/images").glob("*.jpg"))
    walks = [p for p in people if p.name.startswith("walk_")]
    files = [p for p in people if not p.name.startswith("walk_")] + walks[::3]
    for name, step in (("coco128_yolo", 1), ("yuskun_car", 2), ("yuskun_vehicles", 4)):
        files += training_images(root, name)[::step]
    labels = [Path(str(p.parent).replace("/images", "/labels")) / f"{p.stem}.txt" for p in files]
    files += [p for p in labels if p.is_file()] + [root / "datasets/people/sources.csv"]
    clips = [root / clip for clip in (*CLIPS, *HELD_OUT_CLIPS) if clip != LARGEST_CLIP]
    return files + [clip for clip in clips if clip.is_file()]


def add_text(tar, name, text, mode):
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(text.encode()), mode
    tar.addfile(entry, io.BytesIO(text.encode()))


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True,
                        help="folder with datasets/ and videos/")
    parser.add_argument("--teacher", type=Path, required=True)
    parser.add_argument("--start", type=Path, help="a checkpoint.pt to go on from")
    parser.add_argument("--limit", type=float, default=45, help="MiB that the bundle may have")
    parser.add_argument("output", type=Path)
    args = parser.parse_args()
    with tarfile.open(args.output, "w:gz") as tar:
        for package in ("irmb_export", "irmb_train"):
            for path in sorted((TOOLS / package).glob("*.py")):
                tar.add(path, f"bundle/{package}/{path.name}")
        for path in chosen(args.data):
            tar.add(path, f"bundle/data/{path.relative_to(args.data)}")
        tar.add(args.teacher, "bundle/data/teacher.onnx")
        if args.start:
            tar.add(args.start, "bundle/run/checkpoint.pt")
        add_text(tar, "bundle/train.sh", START, 0o755)
    size = args.output.stat().st_size / 2 ** 20
    print(f"{args.output}: {size:.1f} MiB")
    if size > args.limit:
        sys.exit(f"{args.output}: more than {args.limit:g} MiB")


if __name__ == "__main__":
    main()
