"""The losses of a student: the teacher's score at every anchor, and boxes of objects.

Objects are assigned to anchors as in TOOD (arXiv 2108.07755).
"""
import math

import torch
from torch.nn import functional as F

STRIDES = (8, 16, 32)
CANDIDATES = 10  # anchors an object may have in the one-to-many scores


def anchor_grid(size, device):
    """Centres [N, 2] and strides [N] of the anchors of a size x size image, in pixels."""
    points, strides = [], []
    for stride in STRIDES:
        axis = (torch.arange(size // stride, device=device) + 0.5) * stride
        y, x = torch.meshgrid(axis, axis, indexing="ij")
        points.append(torch.stack((x.flatten(), y.flatten()), 1))
        strides.append(torch.full((len(points[-1]),), float(stride), device=device))
    return torch.cat(points), torch.cat(strides)


def decode(distances, points, strides, bins=16):
    """Distances [B, 4 bins, N] -> boxes [B, N, 4] in pixels."""
    b, _, n = distances.shape
    expected = distances.view(b, 4, bins, n).softmax(2).mul(
        torch.arange(bins, device=distances.device).view(1, 1, bins, 1)).sum(2)
    expected = expected.transpose(1, 2) * strides[:, None]
    return torch.cat((points - expected[..., :2], points + expected[..., 2:]), 2)


def plain_iou(a, b):
    """IoU of boxes [..., 4], paired by broadcasting."""
    inner = (torch.minimum(a[..., 2:], b[..., 2:]) - torch.maximum(a[..., :2], b[..., :2]))
    inside = inner.clamp(min=0).prod(-1)
    areas = [(x[..., 2:] - x[..., :2]).clamp(min=1e-3).prod(-1) for x in (a, b)]
    return inside / (areas[0] + areas[1] - inside + 1e-6)


def complete_iou(a, b):
    """Complete IoU (arXiv 1911.08287) of boxes [..., 4], paired by broadcasting."""
    wa, ha = (a[..., 2:] - a[..., :2]).clamp(min=1e-3).unbind(-1)
    wb, hb = (b[..., 2:] - b[..., :2]).clamp(min=1e-3).unbind(-1)
    outer = torch.maximum(a[..., 2:], b[..., 2:]) - torch.minimum(a[..., :2], b[..., :2])
    iou = plain_iou(a, b)
    apart = ((a[..., :2] + a[..., 2:] - b[..., :2] - b[..., 2:]) ** 2).sum(-1) / 4
    distance = apart / ((outer ** 2).sum(-1) + 1e-6)
    shape = 4 / math.pi ** 2 * (torch.atan(wb / hb) - torch.atan(wa / ha)) ** 2
    with torch.no_grad():
        alpha = shape / (1 - iou + shape + 1e-6)
    return iou - distance - alpha * shape


@torch.no_grad()
def assign(scores, boxes, objects, points, candidates):
    """Assigns anchors to objects.

    scores [B, N, classes] and boxes [B, N, 4] are the student's, objects [B, M, 6] are class, box
    and weight (0 = none). Returns target scores [B, N, classes], target boxes [B, N, 4] and the
    weight of each anchor's box [B, N].
    """
    wanted = objects[..., 1:5]
    exists = objects[..., 5] > 0
    overlap = plain_iou(wanted[:, :, None], boxes[:, None])
    label = objects[..., 0].long()
    score = scores.transpose(1, 2).gather(1, label[..., None].expand(-1, -1, scores.shape[1]))
    inside = ((points > wanted[:, :, None, :2]) & (points < wanted[:, :, None, 2:])).all(-1)
    fit = score.sqrt() * overlap ** 6 * inside * exists[..., None]
    best, index = fit.topk(candidates, dim=-1)
    chosen = torch.zeros_like(fit).scatter_(-1, index, (best > 0).to(fit.dtype))
    owner_fit = torch.where(chosen > 0, overlap, torch.full_like(overlap, -1.0))
    owner = owner_fit.argmax(1)
    taken = chosen.sum(1) > 0
    mine = F.one_hot(owner, fit.shape[1]).transpose(1, 2) * chosen
    fit, overlap = fit * mine, overlap * mine
    fit = fit / (fit.amax(-1, keepdim=True) + 1e-9) * overlap.amax(-1, keepdim=True)
    weight = (fit * objects[..., 5:6]).amax(1)
    target = F.one_hot(label.gather(1, owner), scores.shape[2]) * weight[..., None]
    box = wanted.gather(1, owner[..., None].expand(-1, -1, 4))
    return target, box, weight * taken


def box_loss(distances, boxes, wanted, weight, points, strides, bins=16):
    """Sums, over anchors with a weight, of complete IoU loss and distribution focal loss."""
    where = weight > 0.05
    if not where.any():
        return distances.sum() * 0, distances.sum() * 0
    b, n = weight.shape
    w = weight[where]
    ciou = complete_iou(boxes[where], wanted[where])
    at, s = points.expand(b, -1, -1)[where], strides.expand(b, -1)[where][:, None]
    distance = torch.cat((at - wanted[where][:, :2], wanted[where][:, 2:] - at), 1) / s
    distance = distance.clamp(0, bins - 1.01)
    low = distance.long()
    share = distance - low
    logits = distances.transpose(1, 2)[where].view(-1, 4, bins)
    log = logits.log_softmax(-1)
    focal = -(log.gather(-1, low[..., None])[..., 0] * (1 - share)
              + log.gather(-1, low[..., None] + 1)[..., 0] * share).mean(1)
    return ((1 - ciou) * w).sum(), (focal * w).sum()


def student_loss(outputs, batch, one_to_one):
    """Total loss and its parts for Detect.training_outputs() and a batch of Canvases.

    one_to_one: "teacher" takes the teacher's scores as targets at every anchor, "assigned" one
    anchor for each object.
    """
    distances, one, many = (x.float() for x in outputs)
    image, seen_scores, seen_boxes, certain, objects = batch
    objects = objects[:, :max(1, int((objects[..., 5] > 0).sum(1).max()))]
    points, strides = anchor_grid(image.shape[-1], image.device)
    boxes = decode(distances, points, strides)
    one, many = one.transpose(1, 2), many.transpose(1, 2)

    target, wanted, weight = assign(many.sigmoid(), boxes, objects, points, CANDIDATES)
    many_loss = F.binary_cross_entropy_with_logits(many, target, reduction="sum")
    many_norm = target.sum().clamp(min=1)
    iou_loss, focal_loss = box_loss(distances, boxes, wanted, weight, points, strides)

    if one_to_one == "teacher":
        one_target, one_wanted = seen_scores, seen_boxes
        one_weight = seen_scores.amax(-1) * certain
        mask = certain[..., None].to(one.dtype)
    else:
        one_target, one_wanted, one_weight = assign(one.sigmoid(), boxes, objects, points, 1)
        mask = torch.ones_like(one)
    one_loss = (F.binary_cross_entropy_with_logits(one, one_target, reduction="none") * mask).sum()
    one_norm = one_target.sum().clamp(min=1)
    one_iou, one_focal = box_loss(distances, boxes, one_wanted, one_weight, points, strides)

    box_norm = weight.sum().clamp(min=1), one_weight.sum().clamp(min=1)
    parts = {
        "many": 0.5 * many_loss / many_norm, "one": 0.5 * one_loss / one_norm,
        "iou": 5.0 * (iou_loss / box_norm[0] + one_iou / box_norm[1]),
        "dfl": 1.0 * (focal_loss / box_norm[0] + one_focal / box_norm[1])}
    return sum(parts.values()), {k: v.item() for k, v in parts.items()}
