"""Canvases: 640 x 640 collages of pictures at many scales, with what people and the teacher say.

They are made once and kept in shards, so that training spends its time on the student.
"""
import argparse
import multiprocessing
import sys
from pathlib import Path

import cv2
import numpy as np

from .sources import PERSON, odds, training_pictures
from .teacher import SIZE, Teacher

GREY = 114
GRIDS, GRID_ODDS = (1, 2, 3, 4), (0.22, 0.38, 0.27, 0.13)
PERSON_PX = (18, 150)  # heights that people are scaled to, log-uniformly
NOTICED = 0.01         # teacher scores below this are taken as none
OBJECT = 0.3           # the teacher is believed to see an object from here on


def iou(a, b):
    """Intersection over union of boxes [n, 4] and [m, 4]: [n, m]."""
    top_left = np.maximum(a[:, None, :2], b[None, :, :2])
    bottom_right = np.minimum(a[:, None, 2:], b[None, :, 2:])
    inside = (bottom_right - top_left).clip(0).prod(2)
    area = [(boxes[:, 2:] - boxes[:, :2]).prod(1) for boxes in (a, b)]
    return inside / (area[0][:, None] + area[1][None] - inside + 1e-9)


def clip_boxes(boxes, x1, y1, x2, y2):
    """Boxes cut to a rectangle, and the share of each that is inside."""
    cut = boxes.copy()
    cut[:, 0::2] = cut[:, 0::2].clip(x1, x2)
    cut[:, 1::2] = cut[:, 1::2].clip(y1, y2)
    area = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    return cut, (cut[:, 2:] - cut[:, :2]).prod(1) / np.maximum(area, 1e-6)


def scale_for(picture, cell, rng):
    """How much to shrink or enlarge a picture that goes into a cell of `cell` pixels."""
    height, width = picture.image.shape[:2]
    fit = cell / max(height, width)
    people = picture.boxes[picture.classes == PERSON]
    if len(people) == 0 or rng.random() < 0.3:
        return fit * rng.uniform(0.7, 1.8)
    typical = np.median(people[:, 3] - people[:, 1])
    target = np.exp(rng.uniform(*np.log(PERSON_PX)))
    return np.clip(target / typical, 0.7 * fit, min(2.5 * fit, 2.0))


def paste(canvas, picture, x, y, cell, rng):
    """Puts a scaled and cropped picture into a cell; returns its human boxes and classes there."""
    scale = scale_for(picture, cell, rng)
    stretch = np.exp(rng.uniform(-0.12, 0.12))
    shrinking = scale < 1
    image = cv2.resize(picture.image, None, fx=scale * stretch, fy=scale / stretch,
                       interpolation=cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR)
    height, width = image.shape[:2]
    left = rng.integers(0, max(width - cell, 0) + 1)
    top = rng.integers(0, max(height - cell, 0) + 1)
    image = image[top:top + cell, left:left + cell]
    canvas[y:y + image.shape[0], x:x + image.shape[1]] = image
    boxes = picture.boxes * np.float32([scale * stretch, scale / stretch] * 2)
    boxes += np.float32([x - left, y - top] * 2)
    boxes, visible = clip_boxes(boxes, x, y, x + cell, y + cell)
    keep = visible > 0.4
    return boxes[keep], picture.classes[keep]


def compose(pictures, chances, rng):
    """A canvas [640, 640, 3] of one to sixteen pictures and its human boxes and classes."""
    canvas = np.full((SIZE, SIZE, 3), GREY, np.uint8)
    grid = rng.choice(GRIDS, p=GRID_ODDS)
    edges = np.linspace(0, SIZE, grid + 1).astype(int)
    boxes, classes = [], []
    for row in range(grid):
        for column in range(grid):
            picture = pictures[rng.choice(len(pictures), p=chances)]
            cell = edges[1]
            found = paste(canvas, picture, edges[column], edges[row], cell, rng)
            boxes.append(found[0])
            classes.append(found[1])
    return canvas, np.concatenate(boxes), np.concatenate(classes)


def detections(boxes, scores, threshold):
    """The teacher's objects: best class of each anchor above a threshold, doubles removed."""
    best, label = scores.max(1), scores.argmax(1)
    keep = np.flatnonzero(best >= threshold)
    keep = keep[np.argsort(-best[keep])]
    chosen = []
    for index in keep:
        if not chosen or iou(boxes[index:index + 1], boxes[chosen]).max() < 0.7:
            chosen.append(index)
    return np.array(chosen, int), label[chosen], best[chosen]


def merge(human, human_classes, boxes, scores):
    """Objects [n, 6]: class, x1, y1, x2, y2, weight; human boxes first, then what only the
    teacher sees. Human boxes that cover a group of the teacher's people are left out."""
    anchors, labels, best = detections(boxes, scores, OBJECT)
    seen = boxes[anchors]
    overlap = iou(human, seen) if len(human) and len(seen) else np.zeros((len(human), len(seen)))
    same = overlap * (human_classes[:, None] == labels[None])
    objects = []
    for index, box in enumerate(human):
        if len(seen):
            _, inside = clip_boxes(seen, *box)
            members = (inside > 0.8) & (overlap[index] < 0.5) & (labels == human_classes[index])
            if members.sum() >= 3:
                continue
        if (box[2:] - box[:2]).min() >= 4:
            objects.append((human_classes[index], *box, 1.0))
    for column in range(len(seen)):
        if len(human) and same[:, column].max() >= 0.5:
            continue
        objects.append((labels[column], *seen[column], best[column]))
    return np.array(objects, np.float32).reshape(-1, 6)


def make_shard(pictures, teacher, count, rng):
    """`count` canvases as arrays: JPEG bytes, objects and the teacher's noticed anchors."""
    jpegs, objects, anchors, boxes, scores = [], [], [], [], []
    chances = odds(pictures)
    for _ in range(count):
        canvas, human, classes = compose(pictures, chances, rng)
        seen_boxes, seen_scores = teacher(canvas)
        jpegs.append(cv2.imencode(".jpg", canvas, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].ravel())
        objects.append(merge(human, classes, seen_boxes, seen_scores))
        noticed = np.flatnonzero(seen_scores.max(1) >= NOTICED)
        anchors.append(noticed.astype(np.uint16))
        boxes.append(seen_boxes[noticed])
        scores.append(seen_scores[noticed].astype(np.float16))

    def joined(name, parts):
        ends = np.cumsum([len(part) for part in parts])
        return {name: np.concatenate(parts), f"{name}_end": ends}

    return joined("jpeg", jpegs) | joined("objects", objects) | joined("anchors", anchors) | {
        "boxes": np.concatenate(boxes), "scores": np.concatenate(scores)}


def make_shards(args, numbers):
    """Writes the shards of these numbers; each depends on the seed and its number alone."""
    pictures, teacher = training_pictures(args.data), Teacher(args.teacher, threads=1 if args.processes > 1 else 0)
    for number in numbers:
        arrays = make_shard(pictures, teacher, args.per_shard,
                            np.random.default_rng((args.seed, number)))
        path = shard_path(args.output, number)
        partial = path.with_suffix(".partial.npz")
        np.savez(partial, **arrays)
        partial.rename(path)
        print(f"{path}: {len(arrays['objects'])} objects", flush=True)


def shard_path(folder, number):
    return Path(folder) / f"shard_{number:03d}.npz"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="folder with datasets/ and videos/")
    parser.add_argument("--teacher", required=True, help="YOLOv10 ONNX with output [1, 84, 8400]")
    parser.add_argument("--output", required=True, help="folder for the shards")
    parser.add_argument("--shards", type=int, default=30)
    parser.add_argument("--per-shard", type=int, default=100)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    Path(args.output).mkdir(parents=True, exist_ok=True)
    missing = [n for n in range(args.shards) if not shard_path(args.output, n).exists()]
    if args.processes > 1:
        cv2.setNumThreads(1)
    workers = [multiprocessing.Process(target=make_shards, args=(args, missing[i::args.processes]))
               for i in range(args.processes)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if any(worker.exitcode for worker in workers):
        sys.exit("not all shards could be made; see above")


if __name__ == "__main__":
    main()
