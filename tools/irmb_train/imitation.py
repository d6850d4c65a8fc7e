"""Learning all that the teacher says: its scores of every class at every anchor.

People and vehicles are rare; chairs, dogs and lamps are in every picture. A classification tower
that can tell them apart tells people better, too. What is learned here for the teacher's other
classes is thrown away after the training.
"""
import torch
from torch import nn
from torch.nn import functional as F

from .loss import anchor_grid, box_loss, decode
from .teacher import Teacher

FLOOR = 7.0    # logits below minus this (a score of 0.001) are as good as none
TRUSTED = 0.1  # best score of an anchor from which on the teacher's box there is followed


class Imitation(nn.Module):
    """A linear map from the features of the classification tower to the teacher's logits, for each
    stride. Starts by saying nothing."""

    def __init__(self, model, classes=80):
        super().__init__()
        widths = [cls[2].in_channels for cls in model.model[-1].cv3]
        self.maps = nn.ModuleList(nn.Conv2d(width, classes, 1) for width in widths)
        for layer in self.maps:
            nn.init.zeros_(layer.weight)
            nn.init.constant_(layer.bias, -FLOOR - 3)

    def forward(self, features, stride_index):
        return self.maps[stride_index](features)


def imitation_loss(logits, distances, seen_boxes, seen_scores):
    """How much of the teacher is missed.

    logits [B, classes, N] and distances [B, 4 bins, N] are the student's, seen_boxes [B, N, 4] and
    seen_scores [B, N, classes] the teacher's. Returns the squared error of softplus(logit + FLOOR)
    relative to its squares (1 for a student that says nothing) and the loss of the boxes.
    """
    wanted = F.softplus(torch.logit(seen_scores, 1e-6) + FLOOR)
    said = F.softplus(logits.float().transpose(1, 2) + FLOOR)
    missed = (said - wanted).square().sum() / wanted.square().sum().clamp(min=1)

    size = 32 * round((distances.shape[2] / 21) ** 0.5)  # 16 + 4 + 1 anchors for 32 x 32 pixels
    points, strides = anchor_grid(size, distances.device)
    distances = distances.float()
    best = seen_scores.amax(2)
    weight = best * (best > TRUSTED)
    iou, focal = box_loss(distances, decode(distances, points, strides), seen_boxes, weight,
                          points, strides)
    return missed, (5.0 * iou + focal) / weight.sum().clamp(min=1)


class Watched(torch.utils.data.Dataset):
    """Canvases at their full size, each with what the teacher sees in it: two more entries, boxes
    [8400, 4] and scores [8400, 80]."""

    def __init__(self, data, teacher):
        self.data, self.path, self.teacher = data, teacher, None

    def __len__(self):
        return len(self.data)

    def __getitem__(self, index):
        if self.teacher is None:  # one for each process that loads data
            self.teacher = Teacher(self.path, threads=1)
        item = self.data[index]
        seen = self.teacher.all_classes(item[0].numpy()[::-1].transpose(1, 2, 0))
        return (*item, *map(torch.from_numpy, seen))
