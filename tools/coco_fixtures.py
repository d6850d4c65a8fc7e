#!/usr/bin/env python3
"""Makes the fixtures of the tests of `vigil eval`: coco_fixtures.py tests/app/eval

Random annotations and detections, and what pycocotools makes of them. Needs numpy, pycocotools.
"""
import contextlib
import io
import json
import sys
from pathlib import Path

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

CATEGORIES = {1: "person", 3: "car", 4: "motorcycle", 7: "unlabelled", 12: "never found"}
CONFIDENCES = (0.0, 0.25, 0.6)
IMAGES = 40


def random_box(rng, width, height):
    w, h = rng.uniform(8, width / 2), rng.uniform(8, height / 2)
    return [rng.uniform(0, width - w), rng.uniform(0, height - h), w, h]


def shaken(rng, box, amount):
    """`box` with its corners moved by a share of its size."""
    x, y, w, h = box
    dx, dy, dw, dh = rng.normal(0, amount, 4)
    return [x + dx * w, y + dy * h, w * np.exp(dw), h * np.exp(dh)]


def tidy(box):
    return [round(float(v), 1) for v in box]


def annotate(rng):
    """COCO annotations: crowds among them, crowded images, empty ones, out-of-order ids."""
    images, annotations = [], []
    for image_id in rng.permutation(np.arange(1, 4 * IMAGES, 4)):
        width, height = int(rng.integers(100, 500)), int(rng.integers(100, 400))
        images.append(dict(id=int(image_id), file_name=f"{image_id:06d}.jpg", width=width,
                           height=height))
        for _ in range(rng.integers(0, 9)):
            category = int(rng.choice([1, 1, 1, 3, 3, 4, 12]))
            box = tidy(random_box(rng, width, height))
            annotations.append(dict(id=len(annotations) + 1, image_id=int(image_id),
                                    category_id=category, bbox=box, area=box[2] * box[3],
                                    iscrowd=int(rng.random() < 0.1)))
    return dict(images=images, annotations=annotations,
                categories=[dict(id=i, name=name) for i, name in CATEGORIES.items()])


def detect(rng, truth):
    """Detections: near misses, duplicates, wrong classes, equal scores, too many in one image."""
    sizes = {image["id"]: (image["width"], image["height"]) for image in truth["images"]}
    found = []

    def add(image_id, category, box, score):
        found.append(dict(image_id=image_id, category_id=int(category), bbox=tidy(box),
                          score=round(float(score), 2)))

    for a in truth["annotations"]:
        if a["category_id"] == 12 or rng.random() < 0.15:
            continue
        for _ in range(rng.choice([1, 1, 1, 2])):
            category = a["category_id"] if rng.random() < 0.93 else rng.choice([1, 3, 7])
            add(a["image_id"], category, shaken(rng, a["bbox"], 0.08), rng.beta(3, 2))
    for image_id, size in sizes.items():
        for _ in range(rng.integers(0, 4)):
            add(image_id, rng.choice([1, 3, 4, 7]), random_box(rng, *size), rng.beta(1, 3))
    crowded = truth["annotations"][0]["image_id"]
    for _ in range(130):
        add(crowded, 1, random_box(rng, *sizes[crowded]), rng.uniform(0.01, 0.5))
    return [found[i] for i in rng.permutation(len(found))]


def counts(evaluator, category, confidence):
    """(true, false) positives at an IoU of 0.5 among detections of at least `confidence`."""
    true = false = 0
    for image in evaluator.evalImgs:
        if image is None or image["category_id"] != category:
            continue
        for matched, ignored, score in zip(image["dtMatches"][0], image["dtIgnore"][0],
                                           image["dtScores"]):
            if score >= confidence and not ignored:
                true, false = true + (matched > 0), false + (matched == 0)
    return int(true), int(false)


def mean_or_none(values):
    values = values[values > -1]
    return float(values.mean()) if values.size else None


def judge(truth_path, found_path):
    """What pycocotools makes of the two files."""
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(truth_path))
        evaluator = COCOeval(truth, truth.loadRes(str(found_path)), "bbox")
        evaluator.params.areaRng, evaluator.params.areaRngLbl = [[0, 1e10]], ["all"]
        evaluator.params.maxDets = [100]
        evaluator.evaluate()
        evaluator.accumulate()
    precision = evaluator.eval["precision"][..., 0, 0]  # [IoU, recall, class]
    classes = []
    for k, category in enumerate(evaluator.params.catIds):
        classes.append(dict(id=int(category), ap50=mean_or_none(precision[0, :, k]),
                            ap50_95=mean_or_none(precision[..., k]),
                            counts=[counts(evaluator, category, c) for c in CONFIDENCES]))
    return dict(ap50=mean_or_none(precision[0]), ap50_95=mean_or_none(precision),
                confidences=CONFIDENCES, classes=classes)


def lines(entries):
    """A JSON list with an entry a line."""
    return "[\n" + ",\n".join(json.dumps(entry) for entry in entries) + "\n]"


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(1)
    truth = annotate(rng)
    body = ",\n".join(f'"{key}": {lines(value)}' for key, value in truth.items())
    (folder / "annotations.json").write_text("{\n" + body + "\n}\n")
    (folder / "detections.json").write_text(lines(detect(rng, truth)) + "\n")
    expected = judge(folder / "annotations.json", folder / "detections.json")
    (folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main()
