"""Reads shards of canvases and cuts training crops from them."""
from pathlib import Path

import cv2
import numpy as np
import torch

from .canvases import clip_boxes
from .teacher import SIZE

STRIDES = (8, 16, 32)
VISIBLE = 0.4  # share of an object that a crop must show
MAX_OBJECTS = 128


def pieces(arrays, name):
    """The parts of a joined array."""
    return np.split(arrays[name], arrays[f"{name}_end"][:-1])


class Canvases(torch.utils.data.Dataset):
    """Random crops of `size` pixels (a multiple of 32) of all canvases in a folder.

    An item is (image uint8 [3, size, size] RGB, teacher scores [N, classes], teacher boxes [N, 4],
    certain [N], objects [MAX_OBJECTS, 6]); N counts the anchors of the three strides. An item is
    drawn by its index and the epoch alone.
    """

    def __init__(self, folder, size, seed):
        self.size, self.seed, self.epoch = size, seed, 0
        self.items = []
        paths = sorted(p for p in Path(folder).glob("shard_*.npz") if "partial" not in p.name)
        if not paths:
            raise ValueError(f"{folder}: no shards; make them with python -m irmb_train.canvases")
        for path in paths:
            arrays = dict(np.load(path))
            ends = arrays["anchors_end"][:-1]
            self.items += zip(pieces(arrays, "jpeg"), pieces(arrays, "objects"),
                              pieces(arrays, "anchors"), np.split(arrays["boxes"], ends),
                              np.split(arrays["scores"], ends))

    def __len__(self):
        return len(self.items)

    def __getitem__(self, index):
        rng = np.random.default_rng((self.seed, self.epoch, index))
        jpeg, objects, anchors, boxes, scores = self.items[index]
        image = cv2.imdecode(jpeg, cv2.IMREAD_COLOR)
        left, top = 32 * rng.integers(0, (SIZE - self.size) // 32 + 1, 2)
        flip = rng.random() < 0.5
        image = image[top:top + self.size, left:left + self.size]
        image = recolour(image[:, ::-1] if flip else image, rng)
        dense = self.crop_teacher(anchors, boxes, scores, left, top, flip)
        image = torch.from_numpy(np.ascontiguousarray(image[..., ::-1].transpose(2, 0, 1)))
        return (image, *dense, self.crop_objects(objects, left, top, flip))

    def place(self, boxes, left, top, flip):
        """Boxes in the crop, cut to it, and the share of each that is inside."""
        boxes = boxes - np.float32([left, top, left, top])
        if flip:
            boxes = np.stack((self.size - boxes[:, 2], boxes[:, 1],
                              self.size - boxes[:, 0], boxes[:, 3]), 1)
        return clip_boxes(boxes, 0, 0, self.size, self.size)

    def crop_teacher(self, anchors, boxes, scores, left, top, flip):
        boxes, visible = self.place(boxes, left, top, flip)
        all_scores, all_boxes, hidden = [], [], []
        start = 0
        for stride in STRIDES:
            side, crop = SIZE // stride, self.size // stride
            here = (anchors >= start) & (anchors < start + side * side)
            cell = anchors[here].astype(int) - start
            y, x = cell // side - top // stride, cell % side - left // stride
            if flip:
                x = crop - 1 - x
            inside = (x >= 0) & (x < crop) & (y >= 0) & (y < crop)
            place = y[inside] * crop + x[inside]
            for target, values in ((all_scores, scores), (all_boxes, boxes), (hidden, visible)):
                dense = np.zeros((crop * crop,) + values.shape[1:], np.float32)
                if target is hidden:
                    dense += 1
                dense[place] = values[here][inside]
                target.append(torch.from_numpy(dense))
            start += side * side
        return torch.cat(all_scores), torch.cat(all_boxes), torch.cat(hidden) > VISIBLE

    def crop_objects(self, objects, left, top, flip):
        boxes, visible = self.place(objects[:, 1:5], left, top, flip)
        objects = np.concatenate((objects[:, :1], boxes, objects[:, 5:]), 1)
        objects = objects[(visible > VISIBLE) & ((boxes[:, 2:] - boxes[:, :2]).min(1) >= 3)]
        padded = torch.zeros(MAX_OBJECTS, 6)
        padded[:len(objects)] = torch.from_numpy(objects[:MAX_OBJECTS])
        return padded


def recolour(image, rng):
    """Random gamma, contrast, colour cast, now and then grey, blur or sensor noise."""
    levels = np.linspace(0, 1, 256)[:, None] ** np.exp(rng.normal(0, 0.25))
    levels = (levels - 0.5) * rng.uniform(0.7, 1.2) + 0.5 + rng.uniform(-0.1, 0.1)
    levels = levels * rng.uniform(0.9, 1.1, 3)
    image = cv2.LUT(np.ascontiguousarray(image),
                    (levels * 255).clip(0, 255).astype(np.uint8).reshape(1, 256, 3))
    if rng.random() < 0.1:
        image = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    if rng.random() < 0.15:
        image = cv2.GaussianBlur(image, (3, 3), rng.uniform(0.4, 1.0))
    if rng.random() < 0.15:
        noise = rng.normal(0, rng.uniform(2, 8), image.shape)
        image = (image + noise).clip(0, 255).astype(np.uint8)
    if rng.random() < 0.2:
        quality = int(rng.integers(30, 75))
        image = cv2.imdecode(cv2.imencode(".jpg", image, [1, quality])[1], cv2.IMREAD_COLOR)
    return image
