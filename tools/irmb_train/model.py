"""YOLOv10n and YOLOv10s with an iRMB at each of the three inputs of the head.

Layers have the numbers that they have in Ultralytics' YAML of the same model (models/yolov10n-irmb.yaml).
"""
import torch
from torch import nn

from irmb_export.irmb import iRMB
from irmb_export.yolo import NORM_EPS, PSA, SPPF, Bottleneck, C2f, Conv, Head, SCDown


class RepVggDw(nn.Module):
    """Depthwise 7x7 and 3x3 side by side."""

    def __init__(self, c):
        super().__init__()
        self.conv = Conv(c, c, 7, g=c, act=False)
        self.conv1 = Conv(c, c, 3, g=c, act=False)
        self.act = nn.SiLU()

    def forward(self, x):
        return self.act(self.conv(x) + self.conv1(x))


class CIB(nn.Module):
    """Compact inverted block."""

    def __init__(self, c):
        super().__init__()
        self.cv1 = nn.Sequential(Conv(c, c, 3, g=c), Conv(c, 2 * c), RepVggDw(2 * c),
                                 Conv(2 * c, c), Conv(c, c, 3, g=c))

    def forward(self, x):
        return x + self.cv1(x)


class Detect(Head):
    """YOLOv10's one-to-one head, with one more output of the classification tower for training:
    scores that may be high at many anchors of an object."""

    def __init__(self, channels, nc):
        super().__init__(channels, nc, c2=max(16, channels[0] // 4, 64),
                         c3=max(channels[0], min(nc, 100)))
        c3 = self.cv3[0][2].in_channels
        self.many = nn.ModuleList(nn.Conv2d(c3, nc, 1) for _ in channels)

    def training_outputs(self, maps, imitation=None):
        """Distances [B, 4 bins, N], one-to-one logits and one-to-many logits [B, nc, N], and with
        an Imitation its logits [B, teacher's classes, N]."""
        distances, one, many, imitated = [], [], [], []
        for box, cls, extra, x in zip(self.cv2, self.cv3, self.many, maps):
            distances.append(box(x).flatten(2))
            features = cls[1](cls[0](x))
            one.append(cls[2](features).flatten(2))
            many.append(extra(features).flatten(2))
            if imitation:
                imitated.append(imitation(features, len(imitated)).flatten(2))
        parts = (distances, one, many, imitated) if imitation else (distances, one, many)
        return tuple(torch.cat(part, 2) for part in parts)

    def take_many(self):
        """Puts the one-to-many scores in the place of the one-to-one ones. They are learned faster,
        but need NMS."""
        for cls, many in zip(self.cv3, self.many):
            cls[2].load_state_dict(many.state_dict())


# Width of the layers at P1 to P5.
SCALES = {"n": (16, 32, 64, 128, 256), "s": (32, 64, 128, 256, 512)}


def neck_block(c):
    return Bottleneck(c, shortcut=False)


def irmb(c):
    return iRMB(c, c, norm_eps=NORM_EPS)


class YoloV10Irmb(nn.Module):
    """[B, 3, H, W] in 0..1, RGB, sides multiples of 32 -> [B, 4 + nc, N] (see Head)."""

    def __init__(self, nc, scale="n"):
        super().__init__()
        if scale not in SCALES:
            raise ValueError(f"scale '{scale}' is unknown: use one of {', '.join(SCALES)}")
        c1, c2, c3, c4, c5 = SCALES[scale]
        deepest = C2f(c5, c5, 1, CIB) if scale == "s" else C2f(c5, c5, 1)
        self.model = nn.ModuleList([
            Conv(3, c1, 3, 2), Conv(c1, c2, 3, 2), C2f(c2, c2, 1), Conv(c2, c3, 3, 2),
            C2f(c3, c3, 2), SCDown(c3, c4), C2f(c4, c4, 2), SCDown(c4, c5), deepest, SPPF(c5),
            PSA(c5, c5 // 128), nn.Upsample(scale_factor=2.0), nn.Identity(),
            C2f(c5 + c4, c4, 1, neck_block), nn.Upsample(scale_factor=2.0), nn.Identity(),
            C2f(c4 + c3, c3, 1, neck_block), irmb(c3), Conv(c3, c3, 3, 2), nn.Identity(),
            C2f(c3 + c4, c4, 1, neck_block), irmb(c4), SCDown(c4, c4), nn.Identity(),
            C2f(c4 + c5, c5, 1, CIB), irmb(c5), Detect((c3, c4, c5), nc)])

    def maps(self, x):
        """The head's inputs, at strides 8, 16 and 32."""
        m = self.model
        for layer in m[:5]:
            x = layer(x)
        p3 = x
        p4 = m[6](m[5](p3))
        p5 = m[10](m[9](m[8](m[7](p4))))
        n4 = m[13](torch.cat((m[11](p5), p4), 1))
        n3 = m[17](m[16](torch.cat((m[14](n4), p3), 1)))
        n4 = m[21](m[20](torch.cat((m[18](n3), n4), 1)))
        n5 = m[25](m[24](torch.cat((m[22](n4), p5), 1)))
        return n3, n4, n5

    def forward(self, x):
        return self.model[26](self.maps(x))

    def training_outputs(self, x, imitation=None):
        return self.model[26].training_outputs(self.maps(x), imitation)


def initialise(model, prior=0.01):
    """The start of a training: PyTorch's random weights, scores near `prior`, boxes of a few
    cells."""
    head = model.model[26]
    head.dfl.set_weights()
    head.dfl.requires_grad_(False)
    bias = torch.logit(torch.tensor(prior)).item()
    for module in list(head.many) + [cls[2] for cls in head.cv3]:
        nn.init.constant_(module.bias, bias)
    for box in head.cv2:
        nn.init.constant_(box[2].bias, 1.0)
    return model
