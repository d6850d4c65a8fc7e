"""Scores a trained model on scenes that it has not seen."""
import argparse
from pathlib import Path

import cv2
import numpy as np
import torch

from .canvases import GREY, detections, iou
from .checkpoint import load_model
from .sources import CLASSES, HELD_OUT_CLIPS, PERSON, people_files, read_clip, read_images
from .teacher import SIZE, Teacher

BELIEVED = 0.4  # teacher scores that count as truth in clips without human labels


def letterbox(image, boxes):
    """A picture on a square of 640 pixels, as vigil runs it, with its boxes there."""
    height, width = image.shape[:2]
    scale = SIZE / max(height, width)
    w, h = round(width * scale), round(height * scale)
    canvas = np.full((SIZE, SIZE, 3), GREY, np.uint8)
    left, top = (SIZE - w) // 2, (SIZE - h) // 2
    canvas[top:top + h, left:left + w] = cv2.resize(image, (w, h))
    return canvas, boxes * np.float32(scale) + np.float32([left, top, left, top])


def scenes(root):
    """Held-out pictures by scene, {name: list of (image, boxes, classes) at 640 pixels}; classes
    of clips are empty: the teacher labels them."""
    root, found = Path(root), {}
    folder = root / "datasets/people"
    for picture in read_images(people_files(root, True), folder / "labels"):
        image, boxes = letterbox(picture.image, picture.boxes)
        found.setdefault(picture.name.split("_")[0], []).append((image, boxes, picture.classes))
    for clip, step in HELD_OUT_CLIPS.items():
        for picture in read_clip(root / clip, step):
            image, _ = letterbox(picture.image, picture.boxes)
            found.setdefault(Path(clip).stem, []).append((image, None, None))
    return found


def match(found, scores, truth):
    """Whether each detection, best first, hits a box that no better one has hit (IoU >= .5)."""
    hit, free = np.zeros(len(found), bool), np.ones(len(truth), bool)
    overlap = iou(found, truth) if len(found) and len(truth) else None
    for index in np.argsort(-scores):
        if overlap is None or not free.any():
            break
        candidates = np.where(free, overlap[index], -1)
        best = candidates.argmax()
        if candidates[best] >= 0.5:
            hit[index], free[best] = True, False
    return hit


def average_precision(scores, hits, truths):
    """Area under the precision-recall curve at 101 recalls, as COCO takes it."""
    if truths == 0 or len(scores) == 0:
        return 0.0
    hits = hits[np.argsort(-scores)]
    recall = hits.cumsum() / truths
    precision = hits.cumsum() / np.arange(1, len(hits) + 1)
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    places = np.searchsorted(recall, np.linspace(0, 1, 101), side="left")
    return float(np.append(precision, 0.0)[places].mean())


def best_detections(boxes, scores, label, nms_iou, floor=0.01, most=300):
    """Boxes and scores of one class, best first, without those that overlap a better one by more
    than `nms_iou`, as vigil decodes them."""
    order = np.flatnonzero(scores[:, label] >= floor)
    order = order[np.argsort(-scores[order, label])][:most]
    overlap, kept = iou(boxes[order], boxes[order]), []
    for index in range(len(order)):
        if not (overlap[index, kept] > nms_iou).any():
            kept.append(index)
    return boxes[order[kept]], scores[order[kept], label]


def evaluate(predict, found_scenes, confidence, label=PERSON, nms_iou=1.0):
    """Rows (scene, images, boxes, AP50, recall, precision), and the confidence with the best F1 of
    all; predict: image -> boxes, scores."""
    rows, everything = [], [[], [], 0]
    for name, pictures in found_scenes.items():
        scores, hits, truths = [], [], 0
        for image, boxes, classes in pictures:
            truth = boxes[classes == label]
            seen, seen_scores = best_detections(*predict(image), label, nms_iou)
            hits.append(match(seen, seen_scores, truth))
            scores.append(seen_scores)
            truths += len(truth)
        rows.append((name, len(pictures), *summary(scores, hits, truths, confidence)))
        everything[0] += scores
        everything[1] += hits
        everything[2] += truths
    rows.append(("all", sum(r[1] for r in rows), *summary(*everything, confidence)))
    return rows, best_confidence(*everything)


def summary(scores, hits, truths, confidence):
    scores, hits = np.concatenate(scores), np.concatenate(hits)
    sure = scores >= confidence
    return (truths, average_precision(scores, hits, truths), hits[sure].sum() / max(truths, 1),
            hits[sure].sum() / max(sure.sum(), 1))


def best_confidence(scores, hits, truths):
    """(confidence, F1) where F1 is best."""
    scores, hits = np.concatenate(scores), np.concatenate(hits)
    order = np.argsort(-scores)
    f1 = 2 * hits[order].cumsum() / (np.arange(1, len(order) + 1) + truths)
    return (float(scores[order][f1.argmax()]), float(f1.max())) if len(order) else (0.0, 0.0)


def label_clips(found_scenes, teacher):
    """Gives pictures without labels those of the teacher."""
    for pictures in found_scenes.values():
        for index, (image, boxes, _) in enumerate(pictures):
            if boxes is None:
                seen, scores = teacher(image)
                anchors, labels, _ = detections(seen, scores, BELIEVED)
                pictures[index] = (image, seen[anchors], labels)


def student(model, device):
    def predict(image):
        blob = torch.from_numpy(cv2.dnn.blobFromImage(image, 1 / 255, swapRB=True)).to(device)
        with torch.no_grad():
            raw = model(blob)[0].float().cpu().numpy()
        return raw[:4].T, raw[4:].T
    return predict


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="folder with datasets/ and videos/")
    parser.add_argument("--teacher", required=True, help="labels the clips")
    parser.add_argument("--model", help="checkpoint.pt or the exported ONNX; default: the teacher")
    parser.add_argument("--conf", type=float, default=0.25)
    parser.add_argument("--scores", default="one", choices=("one", "many"),
                        help="of the model: one-to-one, or one-to-many")
    parser.add_argument("--nms-iou", type=float, default=0.5,
                        help="overlap above which doubles are removed, as irmb_train.export says "
                             "to vigil")
    parser.add_argument("--every", type=int, default=1, help="take every n-th picture of a scene")
    args = parser.parse_args()
    teacher = Teacher(args.teacher)
    found = {name: pictures[::args.every] for name, pictures in scenes(args.data).items()}
    label_clips(found, teacher)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    predict = teacher
    if args.model:
        predict = student(load_model(args.model, args.scores).to(device).eval(), device)
    print(f"{'scene':24} images boxes  AP50 recall precision   ({CLASSES[PERSON]}, IoU .5, "
          f"confidence {args.conf})")
    rows, (confidence, f1) = evaluate(predict, found, args.conf, nms_iou=args.nms_iou)
    for name, images, boxes, ap, recall, precision in rows:
        print(f"{name:24} {images:6} {boxes:5} {ap:5.3f} {recall:6.3f} {precision:9.3f}")
    print(f"best F1 {f1:.3f} at confidence {confidence:.3f}")


if __name__ == "__main__":
    main()
