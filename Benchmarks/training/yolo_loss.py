"""The YOLOv5 loss in PyTorch, vectorised over targets, anchors and levels' matches.

    total = B · (box · Σ mean(1 − CIoU) + obj · Σ balance · mean BCE(objectness, CIoU) + cls · Σ mean BCE(classes))

over the three levels. A target matches an anchor whose sides differ from its own by less than a factor of 4, in its own
cell and in the two neighbours nearest to its centre. Gains are those of step.c.
"""
import math

import torch
import torch.nn.functional as F

BOX, OBJECTNESS, CLASSES = 0.05, 1.0, 0.5
BALANCE = (4.0, 1.0, 0.4)
ANCHOR_LIMIT = 4.0
EPSILON = 1e-7
OFFSETS = torch.tensor([[0, 0], [1, 0], [0, 1], [-1, 0], [0, -1]], dtype=torch.float32) * 0.5


def matches(targets, anchors, nx, ny):
    """Assigns targets (n, 6): image, class, x, y, w, h as fractions, to anchors (3, 2) in cells. Returns for each match: image,
    anchor, cell row and column, class, and box (x and y from the cell, w, h, in cells)."""
    grid = torch.tensor([nx, ny], dtype=targets.dtype)
    boxes = torch.cat([targets[:, :2], targets[:, 2:4] * grid, targets[:, 4:6] * grid], 1)
    ratio = boxes[None, :, 4:6] / anchors[:, None]
    anchor, index = (torch.maximum(ratio, 1 / ratio).amax(2) < ANCHOR_LIMIT).nonzero(as_tuple=True)
    boxes = boxes[index]
    centre = boxes[:, 2:4]
    near = (centre % 1 < 0.5) & (centre > 1)
    far = ((grid - centre) % 1 < 0.5) & (grid - centre > 1)
    wanted = torch.stack([torch.ones_like(near[:, 0]), near[:, 0], near[:, 1], far[:, 0], far[:, 1]])
    offset, row = wanted.nonzero(as_tuple=True)
    boxes, anchor = boxes[row], anchor[row]
    cell = (boxes[:, 2:4] - OFFSETS[offset]).long()
    x, y = cell[:, 0].clamp(0, nx - 1), cell[:, 1].clamp(0, ny - 1)
    box = torch.cat([boxes[:, 2:4] - torch.stack([x, y], 1), boxes[:, 4:6]], 1)
    return boxes[:, 0].long(), anchor, y, x, boxes[:, 1].long(), box


def ciou(p, t):
    """Complete intersection over union of boxes (n, 4) as x, y, w, h."""
    (p1, p2), (t1, t2) = ((b[:, :2] - b[:, 2:] / 2, b[:, :2] + b[:, 2:] / 2) for b in (p, t))
    pw, ph = (p2 - p1).unbind(1)
    tw, th = (t2 - t1).unbind(1)
    ph, th = ph + EPSILON, th + EPSILON
    inter = (torch.minimum(p2, t2) - torch.maximum(p1, t1)).clamp(0).prod(1)
    iou = inter / (pw * ph + tw * th - inter + EPSILON)
    diagonal = (torch.maximum(p2, t2) - torch.minimum(p1, t1)).square().sum(1) + EPSILON
    distance = (t1 + t2 - p1 - p2).square().sum(1) / 4
    v = 4 / math.pi ** 2 * (torch.atan(tw / th) - torch.atan(pw / ph)).square()
    with torch.no_grad():
        alpha = v / (v - iou + (1 + EPSILON))
    return iou - (distance / diagonal + v * alpha)


def terms(raw, targets, anchors, gains=(BOX, OBJECTNESS, CLASSES)):
    """Box, objectness and class loss, times their gains, of raw outputs: per level (B, 3, ny, nx, 5 + classes).
    Anchors are (3, 3, 2) in cells."""
    box = objectness = classes = 0
    for level, r in enumerate(raw):
        ny, nx = r.shape[2:4]
        image, anchor, y, x, label, wanted = matches(targets, anchors[level], nx, ny)
        goal = torch.zeros(r.shape[:4], dtype=r.dtype)
        if len(image):
            found = r[image, anchor, y, x]
            s = found[:, :4].sigmoid()
            predicted = torch.cat([2 * s[:, :2] - 0.5, (2 * s[:, 2:]).square() * anchors[level][anchor]], 1)
            fit = ciou(predicted, wanted)
            box = box + (1 - fit).mean()
            goal[image, anchor, y, x] = fit.detach().clamp(0)
            truth = F.one_hot(label, found.shape[1] - 5).to(r.dtype)
            classes = classes + F.binary_cross_entropy_with_logits(found[:, 5:], truth)
        objectness = objectness + BALANCE[level] * F.binary_cross_entropy_with_logits(r[..., 4], goal)
    return gains[0] * box, gains[1] * objectness, gains[2] * classes


def loss(raw, targets, anchors):
    """The loss of a mini-batch, which is differentiated."""
    return len(raw[0]) * sum(terms(raw, targets, anchors))
