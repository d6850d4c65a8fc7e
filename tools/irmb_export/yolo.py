"""The modules of YOLOv10 (arXiv 2405.14458) as inference needs them, and a compact YOLOv10 with iRMB
at its three head inputs for small golden models.

Attributes and state-dict names are Ultralytics', so that structure.py can give the forward() of a
class here to a module of a checkpoint.
"""
import torch
from torch import nn
from torch.nn import functional as F

from .irmb import iRMB

NORM_EPS = 1e-3


class Conv(nn.Module):
    """Convolution, batch norm, SiLU."""

    def __init__(self, c1, c2, k=1, s=1, g=1, act=True):
        super().__init__()
        self.conv = nn.Conv2d(c1, c2, k, s, k // 2, groups=g, bias=False)
        self.bn = nn.BatchNorm2d(c2, eps=NORM_EPS)
        self.act = nn.SiLU() if act else nn.Identity()

    def forward(self, x):
        return self.act(self.bn(self.conv(x)))


class Bottleneck(nn.Module):
    def __init__(self, c, shortcut=True):
        super().__init__()
        self.cv1 = Conv(c, c, 3)
        self.cv2 = Conv(c, c, 3)
        self.add = shortcut

    def forward(self, x):
        y = self.cv2(self.cv1(x))
        return x + y if self.add else y


class C2f(nn.Module):
    """Cross-stage block; `block` makes the modules of its chain from their channel count."""

    def __init__(self, c1, c2, n=1, block=Bottleneck):
        super().__init__()
        self.c = c2 // 2
        self.cv1 = Conv(c1, 2 * self.c)
        self.cv2 = Conv((2 + n) * self.c, c2)
        self.m = nn.ModuleList(block(self.c) for _ in range(n))

    def forward(self, x):
        y = list(self.cv1(x).chunk(2, 1))
        for block in self.m:
            y.append(block(y[-1]))
        return self.cv2(torch.cat(y, 1))


class SPPF(nn.Module):
    def __init__(self, c, k=5):
        super().__init__()
        self.cv1 = Conv(c, c // 2)
        self.cv2 = Conv(c * 2, c)
        self.m = nn.MaxPool2d(k, 1, k // 2)

    def forward(self, x):
        y = [self.cv1(x)]
        for _ in range(getattr(self, "n", 3)):
            y.append(self.m(y[-1]))
        y = self.cv2(torch.cat(y, 1))
        return x + y if getattr(self, "add", False) else y


class SCDown(nn.Module):
    """1x1, then depthwise with stride."""

    def __init__(self, c1, c2):
        super().__init__()
        self.cv1 = Conv(c1, c2)
        self.cv2 = Conv(c2, c2, 3, 2, g=c2, act=False)

    def forward(self, x):
        return self.cv2(self.cv1(x))


class Attention(nn.Module):
    """YOLOv10's attention: q and k at half width, a depthwise position encoding of v."""

    def __init__(self, c, heads):
        super().__init__()
        self.num_heads, self.head_dim, self.key_dim = heads, c // heads, c // heads // 2
        self.scale = self.key_dim ** -0.5
        self.qkv = Conv(c, heads * (self.head_dim + 2 * self.key_dim), act=False)
        self.proj = Conv(c, c, act=False)
        self.pe = Conv(c, c, 3, g=c, act=False)

    def forward(self, x):
        b, c, h, w = x.shape
        qkv = self.qkv(x).view(b, self.num_heads, 2 * self.key_dim + self.head_dim, h * w)
        q, k, v = qkv.split([self.key_dim, self.key_dim, self.head_dim], dim=2)
        weights = (q.transpose(-2, -1) @ k * self.scale).softmax(-1)
        y = (v @ weights.transpose(-2, -1)).view(b, c, h, w)
        return self.proj(y + self.pe(v.reshape(b, c, h, w)))


class PSA(nn.Module):
    def __init__(self, c, heads=2):
        super().__init__()
        self.c = c // 2
        self.cv1 = Conv(c, c)
        self.cv2 = Conv(c, c)
        self.attn = Attention(self.c, heads)
        self.ffn = nn.Sequential(Conv(self.c, self.c * 2), Conv(self.c * 2, self.c, act=False))

    def forward(self, x):
        a, b = self.cv1(x).split((self.c, self.c), dim=1)
        b = b + self.attn(b)
        b = b + self.ffn(b)
        return self.cv2(torch.cat((a, b), 1))


class DFL(nn.Module):
    """Expected value of a distribution over `bins` distances: [B, 4 bins, N] -> [B, 4, N]."""

    def __init__(self, bins):
        super().__init__()
        self.c1 = bins
        self.conv = nn.Conv2d(bins, 1, 1, bias=False)

    def set_weights(self):
        with torch.no_grad():
            self.conv.weight.copy_(torch.arange(self.c1).view(1, self.c1, 1, 1))

    def forward(self, x):
        b, _, n = x.shape
        return self.conv(x.view(b, 4, self.c1, n).transpose(2, 1).softmax(1)).view(b, 4, n)


def cell_centres(maps, strides):
    """Centres of the cells of all maps in units of their stride [1, 2, N], and the strides
    [1, N]."""
    centres, cell_strides = [], []
    for x, stride in zip(maps, strides):
        h, w = int(x.shape[2]), int(x.shape[3])
        y, x_ = torch.meshgrid(torch.arange(h, dtype=x.dtype) + 0.5,
                               torch.arange(w, dtype=x.dtype) + 0.5, indexing="ij")
        centres.append(torch.stack((x_, y)).reshape(2, h * w))
        cell_strides.append(torch.full((1, h * w), float(stride), dtype=x.dtype))
    return torch.cat(centres, 1).unsqueeze(0), torch.cat(cell_strides, 1)


class Head(nn.Module):
    """The one-to-one head: [B, 4 + nc, N] with x1, y1, x2, y2 in input pixels and scores."""

    def __init__(self, channels, nc, strides=(8, 16, 32), bins=16, c2=8, c3=8):
        super().__init__()
        self.nc, self.strides, self.bins = nc, strides, bins
        self.cv2 = nn.ModuleList(
            nn.Sequential(Conv(c, c2, 3), Conv(c2, c2, 3), nn.Conv2d(c2, 4 * bins, 1))
            for c in channels)
        self.cv3 = nn.ModuleList(
            nn.Sequential(nn.Sequential(Conv(c, c, 3, g=c), Conv(c, c3)),
                          nn.Sequential(Conv(c3, c3, 3, g=c3), Conv(c3, c3)),
                          nn.Conv2d(c3, nc, 1))
            for c in channels)
        self.dfl = DFL(bins)

    def forward(self, maps):
        levels = [torch.cat((box(x), cls(x)), 1) for box, cls, x in zip(self.cv2, self.cv3, maps)]
        b, channels = levels[0].shape[:2]
        distances, scores = torch.cat([x.view(b, channels, -1) for x in levels], 2).split(
            (4 * self.bins, self.nc), 1)
        anchors, strides = cell_centres(maps, self.strides)
        before, after = self.dfl(distances).chunk(2, 1)
        boxes = torch.cat((anchors - before, anchors + after), 1) * strides
        return torch.cat((boxes, scores.sigmoid()), 1)


class TailTwoGathers(nn.Module):
    """The NMS-free tail as in the YOLOv10 authors' repository: two TopK, three GatherElements."""

    def __init__(self, nc, max_det):
        super().__init__()
        self.nc, self.max_det = nc, max_det

    def forward(self, raw):
        boxes, scores = raw.transpose(-1, -2).split((4, self.nc), dim=-1)
        _, index = torch.topk(scores.amax(dim=-1), self.max_det, dim=-1)
        index = index.unsqueeze(-1)
        boxes = torch.gather(boxes, 1, index.repeat(1, 1, 4))
        scores = torch.gather(scores, 1, index.repeat(1, 1, self.nc))
        scores, index = torch.topk(scores.flatten(1), self.max_det, dim=-1)
        labels = index % self.nc
        index = torch.div(index, self.nc, rounding_mode="floor").unsqueeze(-1)
        boxes = boxes.gather(1, index.repeat(1, 1, 4))
        return torch.cat((boxes, scores.unsqueeze(-1), labels.unsqueeze(-1).to(boxes.dtype)), -1)


class TailIndexing(nn.Module):
    """The same as later Ultralytics releases write it: advanced indexing at the end."""

    def __init__(self, nc, max_det):
        super().__init__()
        self.nc, self.max_det = nc, max_det

    def forward(self, raw):
        boxes, scores = raw.permute(0, 2, 1).split([4, self.nc], dim=-1)
        count = min(self.max_det, int(boxes.shape[1]))
        index = scores.amax(dim=-1).topk(count)[1].unsqueeze(-1)
        boxes = boxes.gather(1, index.repeat(1, 1, 4))
        scores = scores.gather(1, index.repeat(1, 1, self.nc))
        scores, index = scores.flatten(1).topk(count)
        image = torch.arange(int(boxes.shape[0]))[..., None]
        return torch.cat([boxes[image, index // self.nc], scores[..., None],
                          (index % self.nc)[..., None].to(boxes.dtype)], dim=-1)


class TinyYolo(nn.Module):
    """A YOLOv10 of some 50,000 parameters; `extra(c)` makes the modules at P3, P4 and P5,
    `block(c)` those inside the neck's C2f."""

    def __init__(self, nc, extra=None, block=None, tail=None):
        super().__init__()
        extra = extra or (lambda c: iRMB(c, c, norm_eps=NORM_EPS))
        block = block or (lambda c: Bottleneck(c, shortcut=False))
        c1, c2, c3, c4, c5 = 8, 8, 8, 16, 24
        self.stem = nn.Sequential(Conv(3, c1, 3, 2), Conv(c1, c2, 3, 2), C2f(c2, c2))
        self.p3 = nn.Sequential(Conv(c2, c3, 3, 2), C2f(c3, c3))
        self.p4 = nn.Sequential(SCDown(c3, c4), C2f(c4, c4))
        self.p5 = nn.Sequential(SCDown(c4, c5), SPPF(c5), PSA(c5))
        self.up4, self.up3 = C2f(c5 + c4, c4, block=block), C2f(c4 + c3, c3, block=block)
        self.down4, self.down5 = Conv(c3, c3, 3, 2), SCDown(c4, c4)
        self.out4, self.out5 = C2f(c3 + c4, c4, block=block), C2f(c4 + c5, c5)
        self.extra = nn.ModuleList(extra(c) for c in (c3, c4, c5))
        self.head = Head((c3, c4, c5), nc)
        self.tail = tail or nn.Identity()

    def forward(self, image):
        p3 = self.p3(self.stem(image))
        p4 = self.p4(p3)
        p5 = self.p5(p4)
        n4 = self.up4(torch.cat((F.interpolate(p5, scale_factor=2.0, mode="nearest"), p4), 1))
        n3 = self.extra[0](
            self.up3(torch.cat((F.interpolate(n4, scale_factor=2.0, mode="nearest"), p3), 1)))
        n4 = self.extra[1](self.out4(torch.cat((self.down4(n3), n4), 1)))
        n5 = self.extra[2](self.out5(torch.cat((self.down5(n4), p5), 1)))
        return self.tail(self.head((n3, n4, n5)))
