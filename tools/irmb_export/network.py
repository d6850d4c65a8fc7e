"""A runnable detector from the model of a checkpoint: its layers, head and tail."""
import torch
from torch import nn

from .checkpoint import CheckpointError, as_dict, class_path
from .structure import Adoption
from .yolo import TailTwoGathers, cell_centres

MAX_DETECTIONS = 300


def parts_of(module):
    """The children of a module that are there."""
    return {name: child for name, child in module._modules.items() if child is not None}


def is_head(module):
    """Whether a layer is a detection head of YOLOv8 or YOLOv10."""
    parts = set(parts_of(module)) - {"dfl"}
    many, one = {"cv2", "cv3"}, {"one2one_cv2", "one2one_cv3"}
    return parts in (many, one, many | one) and {"nc", "reg_max", "stride"} <= set(module.__dict__)


class Head(nn.Module):
    """[B, 4 + nc, N] from the maps: boxes in input pixels, and scores. Corners for the one-to-one
    head of YOLOv10, centres and sizes for the head of YOLOv8, which needs NMS."""

    def __init__(self, head):
        super().__init__()
        parts = parts_of(head)
        self.nms_free = "one2one_cv2" in parts
        self.boxes = parts["one2one_cv2" if self.nms_free else "cv2"]
        self.scores = parts["one2one_cv3" if self.nms_free else "cv3"]
        self.dfl = parts.get("dfl", nn.Identity())
        self.nc, self.bins = int(head.nc), int(head.reg_max)
        self.strides = [float(stride) for stride in head.stride]

    def forward(self, maps):
        boxes, scores = (
            torch.cat([part(x).reshape(int(x.shape[0]), channels, -1)
                       for part, x in zip(parts, maps)], 2)
            for parts, channels in ((self.boxes, 4 * self.bins), (self.scores, self.nc)))
        anchors, strides = cell_centres(maps, self.strides)
        before, after = self.dfl(boxes).chunk(2, 1)
        low, high = anchors - before, anchors + after
        boxes = (low, high) if self.nms_free else ((low + high) / 2, high - low)
        return torch.cat((torch.cat(boxes, 1) * strides, scores.sigmoid()), 1)


class Network(nn.Module):
    """Runs layers that name their inputs: `f` of each is the index of a layer, or a list of them,
    -1 being the one before."""

    def __init__(self, layers, sources, tail=None):
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.sources = sources
        self.tail = tail or nn.Identity()

    @property
    def head(self):
        return self.layers[-1]

    def forward(self, x):
        kept = []
        for layer, source in zip(self.layers, self.sources):
            if isinstance(source, (list, tuple)):
                x = [x if i == -1 else kept[i] for i in source]
            elif source != -1:
                x = kept[source]
            x = layer(x)
            kept.append(x)
        return self.tail(x)


def layers_of(model):
    layers = model._modules.get("model")
    if not isinstance(layers, nn.Sequential) or not all("f" in m.__dict__ for m in layers):
        raise CheckpointError(f"{class_path(model)} is no model of Ultralytics: it lacks the list of "
                              "layers with their sources")
    return list(layers)


def class_names(model, nc):
    names = as_dict(model.__dict__.get("names"))
    return {i: str(names.get(i, f"class{i}")) for i in range(nc)}


def build(model, with_tail=True, as_irmb=()):
    """(Network, Adoption): the detector in eval mode, and what was found in it. Raises
    CheckpointError for what cannot run. `as_irmb`: see Adoption."""
    layers, adoption = layers_of(model), Adoption(as_irmb)
    if not is_head(layers[-1]):
        raise CheckpointError(f"the last layer, {class_path(layers[-1])}, is no detection head of "
                              "YOLOv10; only detectors are exported")
    sources = [layer.__dict__["f"] for layer in layers]
    runnable = [adoption.adopt(layer, f"model.{i}") for i, layer in enumerate(layers[:-1])]
    head, path = layers[-1], f"model.{len(layers) - 1}"
    for name, child in parts_of(head).items():
        head._modules[name] = adoption.adopt(child, f"{path}.{name}")
    adoption.check()
    head = Head(head)
    tail = TailTwoGathers(head.nc, MAX_DETECTIONS) if with_tail and head.nms_free else None
    network = Network([*runnable, head], sources, tail)
    return network.eval().requires_grad_(False), adoption
