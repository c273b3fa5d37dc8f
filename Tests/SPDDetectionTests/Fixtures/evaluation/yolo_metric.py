"""Records yolo-metric.json: random images and YOLOv5's metric of them, computed with NumPy from the formulas alone.

usage: python yolo_metric.py > yolo-metric.json
"""
import json

import numpy as np

THRESHOLDS = np.linspace(0.5, 0.95, 10).astype(np.float32)


def overlaps(a, b):
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(2)
    return shared / ((a[:, 2:] - a[:, :2]).prod(1)[:, None] + (b[:, 2:] - b[:, :2]).prod(1)[None] - shared)


def match(labels, detections):
    """labels: class, corners; detections by descending score: corners, score, class."""
    hits = np.zeros((len(detections), 10), bool)
    if not len(labels) or not len(detections):
        return hits
    iou = overlaps(labels[:, 1:], detections[:, :4])
    iou[labels[:, :1] != detections[None, :, 5]] = -1
    best = iou.argmax(0)
    for label in range(len(labels)):
        mine = [d for d in range(len(detections)) if best[d] == label and iou[label, d] >= 0.5]
        if mine:
            hits[mine[0]] = iou[label, mine[0]] >= THRESHOLDS
    return hits


def metric(hits, scores, predicted, truth):
    order = np.argsort(-scores, kind="stable")
    hits, scores, predicted = hits[order], scores[order], predicted[order]
    grid = np.linspace(0, 1, 1000)
    rows = []
    for index in np.unique(truth):
        mine = predicted == index
        labels = (truth == index).sum()
        if not mine.any():
            rows.append((int(index), int(labels), np.zeros(1000), np.zeros(1000), np.zeros(10)))
            continue
        true = hits[mine].cumsum(0)
        false = (~hits[mine]).cumsum(0)
        recall = true / (labels + 1e-16)
        precision = true / (true + false)
        r = np.interp(-grid, -scores[mine], recall[:, 0], left=0)
        p = np.interp(-grid, -scores[mine], precision[:, 0], left=1)
        ap = []
        for t in range(10):
            mrec = np.r_[0.0, recall[:, t], 1.0]
            mpre = np.maximum.accumulate(np.r_[1.0, precision[:, t], 0.0][::-1])[::-1]
            x = np.linspace(0, 1, 101)
            ap.append(np.trapezoid(np.interp(x, mrec, mpre), x))
        rows.append((int(index), int(labels), p, r, np.array(ap)))
    f1 = np.array([2 * p * r / (p + r + 1e-16) for _, _, p, r, _ in rows])
    best = f1.mean(0).argmax()
    return dict(
        confidence=float(grid[best]),
        precision=float(np.mean([row[2][best] for row in rows])), recall=float(np.mean([row[3][best] for row in rows])),
        map50=float(np.mean([row[4][0] for row in rows])), map50_95=float(np.mean([row[4].mean() for row in rows])),
        classes=[dict(index=index, labels=labels, precision=float(p[best]), recall=float(r[best]), ap50=float(ap[0]),
                      ap=float(ap.mean())) for index, labels, p, r, ap in rows])


def confusion(images, classes):
    """counts[prediction, truth], the last index being the background; pairs are accepted one by one."""
    counts = np.zeros((classes + 1, classes + 1), int)
    for labels, detections in images:
        detections = detections[detections[:, 4] > 0.25]
        iou = overlaps(labels[:, 1:], detections[:, :4]) if len(labels) and len(detections) else np.zeros(
            (len(labels), len(detections)))
        pair = {}
        for label in range(len(labels)):
            mine = [d for d in range(len(detections)) if iou[label, d] > 0.45 and iou[:, d].argmax() == label]
            if mine:
                pair[label] = max(mine, key=lambda d: iou[label, d])
        for label, row in enumerate(labels):
            counts[int(detections[pair[label], 5]) if label in pair else classes, int(row[0])] += 1
        for d, row in enumerate(detections):
            if d not in pair.values():
                counts[int(row[5]), classes] += 1
    return counts


def main():
    rng = np.random.default_rng(5)
    cases = []
    for classes, count in ((1, 4), (3, 8), (6, 12), (6, 2)):
        images = []
        for _ in range(count):
            n = rng.integers(0, 6)
            size = rng.uniform(10, 90, (n, 2))
            corner = rng.uniform(0, 300, (n, 2))
            # Multiples of 1/8 survive the fixture's text and 32-bit arithmetic.
            corners = np.round(np.hstack([corner, corner + size]) * 8) / 8
            labels = np.hstack([rng.integers(0, classes, (n, 1)), corners]).astype(np.float32)
            found = []
            for row in labels:
                for _ in range(rng.integers(0, 4)):
                    box = np.round((row[1:] + rng.normal(0, rng.choice([1, 4, 12]), 4)) * 8) / 8
                    found.append([*box, rng.random(), row[0] if rng.random() < 0.8 else rng.integers(0, classes)])
            for _ in range(rng.integers(0, 3)):
                x, y = np.round(rng.uniform(0, 300, 2))
                found.append([x, y, x + 40, y + 30, rng.random(), rng.integers(0, classes)])
            detections = np.array(found, np.float32).reshape(-1, 6)
            images.append((labels, detections[np.argsort(-detections[:, 4], kind="stable")]))
        hits = np.vstack([match(*image) for image in images])
        everything = np.vstack([detections for _, detections in images])
        truth = np.concatenate([labels[:, 0] for labels, _ in images])
        cases.append(dict(
            classes=classes, images=[dict(labels=labels.tolist(), detections=detections.tolist())
                                     for labels, detections in images],
            expected=metric(hits, everything[:, 4], everything[:, 5], truth),
            confusion=confusion(images, classes).ravel().tolist()))
    print(json.dumps(cases))


main()
