"""Compares `spdc val` with PyTorch, OpenCV, NumPy and pycocotools on a data set of JPEGs of many shapes.

    python validation.py SPDC WORK-FOLDER [--size 224] [--images 48] [--batch 8]
    python validation.py SPDC WORK-FOLDER --images 12 --batch 4 --record Tests/Fixtures/validation

The network is that of networks.py with weights that spdc trained. The rest is written from YOLOv5's description: images
scaled to the size with their sides cut to whole pixels, batches of similar aspect with a pad of half a stride, multi-label
non-maximum suppression with offsets by class, boxes in pixels of the original image, matching by IoU with each label's first
detection, precision and recall where the mean F1 is greatest, trapezoids under 101 points. YOLOv5's four numbers and
COCO's twelve may differ by 0.002.
"""
import argparse
import contextlib
import io
import json
import os
import pathlib
import shutil
import subprocess
import sys

import cv2
import numpy as np
import torch
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from safetensors.torch import load_file

import networks

LIMIT = 0.002
STRIDE = 32
THRESHOLDS = np.linspace(0.5, 0.95, 10)
COCO_KEYS = ["AP", "AP50", "AP75", "AP_S", "AP_M", "AP_L", "AR1", "AR10", "AR100", "AR_S", "AR_M", "AR_L"]
REPOSITORY = pathlib.Path(__file__).resolve().parents[2]


# Data ---------------------------------------------------------------------------------------------------------------

def crop(folder, seed):
    """Crops the images for validation to sides between half of theirs and all, so that aspects and batches differ."""
    random = np.random.default_rng(seed)
    for path in sorted((folder / "images/val").glob("*.jpg")):
        image = cv2.imread(str(path))
        h, w = (int(side * random.uniform(0.5, 1)) for side in image.shape[:2])
        top, left = random.integers(image.shape[0] - h + 1), random.integers(image.shape[1] - w + 1)
        text = folder / "labels/val" / f"{path.stem}.txt"
        labels = np.array([line.split() for line in text.read_text().splitlines()], float).reshape(-1, 5)
        boxes = corners(labels[:, 1:]) * np.tile(image.shape[1::-1], 2) - np.tile([left, top], 2)
        boxes = boxes.clip(0, [w, h, w, h])
        kept = (boxes[:, 2:] - boxes[:, :2] > 3).all(1)
        boxes = boxes[kept] / [w, h, w, h]
        text.write_text("".join(f"{int(c)} {(a + x) / 2:.6f} {(b + y) / 2:.6f} {x - a:.6f} {y - b:.6f}\n"
                                for c, (a, b, x, y) in zip(labels[kept, 0], boxes)))
        cv2.imwrite(str(path), image[top:top + h, left:left + w], [cv2.IMWRITE_JPEG_QUALITY, 80])


def corners(boxes):
    return np.concatenate([boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2], 1)


def batches(folder, size, count):
    """Batches of similar aspect: shape, then (stem, h0, w0, labels) of each image."""
    entries = []
    for path in sorted((folder / "images/val").glob("*.jpg")):
        h, w = cv2.imread(str(path)).shape[:2]
        lines = (folder / "labels/val" / f"{path.stem}.txt").read_text().splitlines()
        entries.append((path, h, w, np.array([line.split() for line in lines], np.float32).reshape(-1, 5)))
    order = np.argsort([h / w for _, h, w, _ in entries], kind="stable")
    for first in range(0, len(order), count):
        group = [entries[i] for i in order[first:first + count]]
        aspects = [h / w for _, h, w, _ in group]
        shape = [max(aspects), 1] if max(aspects) < 1 else [1, 1 / min(aspects)] if min(aspects) > 1 else [1, 1]
        yield [int(np.ceil(side * size / STRIDE + 0.5) * STRIDE) for side in shape], group


def padded(path, size, shape):
    """The image in its batch's shape, its scale along y, its scaled size and the half pads."""
    image = cv2.imread(str(path))
    h0, w0 = image.shape[:2]
    ratio = size / max(h0, w0)
    if ratio != 1:
        image = cv2.resize(image, (int(w0 * ratio), int(h0 * ratio)),
                           interpolation=cv2.INTER_AREA if ratio < 1 else cv2.INTER_LINEAR)
    h, w = image.shape[:2]
    shrink = min(shape[0] / h, shape[1] / w, 1)
    inner = (round(w * shrink), round(h * shrink))
    dw, dh = (shape[1] - inner[0]) / 2, (shape[0] - inner[1]) / 2
    if (w, h) != inner:
        image = cv2.resize(image, inner, interpolation=cv2.INTER_LINEAR)
    return bordered(image, dw, dh), h / h0, (shrink * w, shrink * h), (dw, dh)


def bordered(image, dw, dh):
    """The image with half pads of grey; an odd pixel goes to the right or to the bottom."""
    return cv2.copyMakeBorder(image, round(dh - 0.1), round(dh + 0.1), round(dw - 0.1), round(dw + 0.1),
                              cv2.BORDER_CONSTANT, value=(114, 114, 114))


def original(boxes, scale, pads, h0, w0):
    """Boxes of the padded image in pixels of the original one."""
    boxes = (boxes - np.tile(pads, 2)) / scale
    return boxes.clip(0, [w0, h0, w0, h0])


# Detections ---------------------------------------------------------------------------------------------------------

def suppressed(rows, confidence, iou, maximum=300):
    """Multi-label non-maximum suppression of one image: rows of x1, y1, x2, y2, score, class."""
    rows = rows[rows[:, 4] > confidence]
    scores = rows[:, 5:] * rows[:, 4:5]
    row, label = np.nonzero(scores > confidence)
    boxes, scores = corners(rows[:, :4])[row], scores[row, label]
    order = np.argsort(-scores, kind="stable")[:30000]
    boxes, scores, label = boxes[order], scores[order], label[order]
    moved = boxes + label[:, None] * 4096.0
    area = (moved[:, 2] - moved[:, 0]) * (moved[:, 3] - moved[:, 1])
    alive, kept = np.ones(len(moved), bool), []
    for index in range(len(moved)):
        if not alive[index]:
            continue
        kept.append(index)
        low, high = np.maximum(moved[index, :2], moved[:, :2]), np.minimum(moved[index, 2:], moved[:, 2:])
        common = (high - low).clip(0).prod(1)
        alive &= common / (area[index] + area - common) <= iou
    kept = kept[:maximum]
    return np.concatenate([boxes[kept], scores[kept, None], label[kept, None]], 1)


# YOLOv5's metric ----------------------------------------------------------------------------------------------------

def intersections(a, b):
    low, high = np.maximum(a[:, None, :2], b[None, :, :2]), np.minimum(a[:, None, 2:], b[None, :, 2:])
    common = (high - low).clip(0).prod(2)
    return common / ((a[:, 2:] - a[:, :2]).prod(1)[:, None] + (b[:, 2:] - b[:, :2]).prod(1) - common)


def correct(detections, labels):
    """Whether each detection is right at each threshold. Labels: class, x1, y1, x2, y2."""
    result = np.zeros((len(detections), len(THRESHOLDS)), bool)
    overlap = intersections(labels[:, 1:], detections[:, :4])
    pairs = [(overlap[l, d], l, d) for l, d in zip(*np.nonzero(
        (overlap >= THRESHOLDS[0]) & (labels[:, :1] == detections[None, :, 5])))]
    best = {}  # each detection's best label, then each label's first detection
    for value, label, detection in sorted(pairs, key=lambda pair: -pair[0]):
        best.setdefault(detection, (value, label))
    taken = set()
    for detection in sorted(best):
        value, label = best[detection]
        if label not in taken:
            taken.add(label)
            result[detection] = value >= THRESHOLDS
    return result


def metrics(is_correct, scores, classes, targets):
    """Precision, recall, mAP at 0.5 and at 0.5 to 0.95."""
    order = np.argsort(-scores, kind="stable")
    is_correct, scores, classes = is_correct[order], scores[order], classes[order]
    grid = np.linspace(0, 1, 1000)
    aps, precisions, recalls = [], [], []
    for label in np.unique(targets):
        mine = classes == label
        count = (targets == label).sum()
        right, wrong = is_correct[mine].cumsum(0), (~is_correct[mine]).cumsum(0)
        recall, precision = right / (count + 1e-16), right / (right + wrong)
        recalls.append(np.interp(-grid, -scores[mine], recall[:, 0], left=0) if mine.any() else grid * 0)
        precisions.append(np.interp(-grid, -scores[mine], precision[:, 0], left=1) if mine.any() else grid * 0)
        aps.append([area(recall[:, t], precision[:, t]) if mine.any() else 0 for t in range(len(THRESHOLDS))])
    aps, p, r = np.array(aps), np.array(precisions), np.array(recalls)
    at = (2 * p * r / (p + r + 1e-16)).mean(0).argmax()
    return p[:, at].mean(), r[:, at].mean(), aps[:, 0].mean(), aps.mean()


def area(recall, precision):
    recall, precision = np.r_[0, recall, 1], np.r_[1, precision, 0]
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    points = np.linspace(0, 1, 101)
    values = np.interp(points, recall, precision)
    return ((values[1:] + values[:-1]) / 2 * np.diff(points)).sum()


# COCO's metric ------------------------------------------------------------------------------------------------------

def coco(truths, results, classes):
    """The twelve numbers. Truths: image, class, x, y, w, h; results the same with a score."""
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        images = sorted({row[0] for row in truths} | {row[0] for row in results})
        truth.dataset = {
            "images": [{"id": i} for i in images], "categories": [{"id": c} for c in range(classes)],
            "annotations": [{"id": n + 1, "image_id": i, "category_id": c, "bbox": box, "area": box[2] * box[3], "iscrowd": 0}
                            for n, (i, c, box) in enumerate(truths)]}
        truth.createIndex()
        found = truth.loadRes([{"image_id": i, "category_id": c, "bbox": box, "score": s} for i, c, box, s in results])
        evaluation = COCOeval(truth, found, "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return dict(zip(COCO_KEYS, evaluation.stats))


# Comparison ---------------------------------------------------------------------------------------------------------

def detector(model, weights):
    """The network with a file's weights, and its number of classes."""
    state = load_file(weights)
    classes = next(tensor for key, tensor in state.items() if key.endswith(".m.0.bias")).numel() // 3 - 5
    net = networks.build(model, classes)
    net.load_state_dict({key: tensor.float() for key, tensor in state.items()})
    return net.eval(), classes


def reference(folder, weights, options):
    net, classes = detector(options.model, weights)
    rights, scores, found, wanted, truths, results = [], [], [], [], [], []
    for shape, group in batches(folder, options.size, options.batch):
        images = [padded(path, options.size, shape) for path, *_ in group]
        tensor = torch.from_numpy(np.stack([i[0][..., ::-1].transpose(2, 0, 1) for i in images])).float() / 255
        with torch.inference_mode():
            output = net(tensor).numpy()
        for rows, (path, h0, w0, native), (_, scale, inner, pads) in zip(output, group, images):
            detections = suppressed(rows, options.conf, options.iou)
            detections[:, :4] = original(detections[:, :4], scale, pads, h0, w0)
            boxes = corners(native[:, 1:]) * np.tile(inner, 2) + np.tile(pads, 2)
            boxes = original(boxes.clip(0, np.tile(shape[::-1], 2) - np.float32(1e-3)), scale, pads, h0, w0)
            labels = np.c_[native[:, 0], boxes]
            rights.append(correct(detections, labels))
            scores.append(detections[:, 4])
            found.append(detections[:, 5])
            wanted.append(labels[:, 0])
            image = int(path.stem)
            sides = lambda b: [float(b[0]), float(b[1]), float(b[2] - b[0]), float(b[3] - b[1])]
            # COCO's annotations are in the original image's own pixels.
            exact = corners(native[:, 1:]) * np.tile([w0, h0], 2)
            truths += [(image, int(c), sides(box)) for c, box in zip(native[:, 0], exact)]
            results += [(image, int(d[5]), sides(d[:4]), float(d[4])) for d in detections]
    values = metrics(np.concatenate(rights), np.concatenate(scores), np.concatenate(found), np.concatenate(wanted))
    return dict(zip(["precision", "recall", "map50", "map50_95"], values)), coco(truths, results, classes), len(results)


def record(folder, options, numbers):
    shutil.rmtree(options.record, ignore_errors=True)
    for kind in ("images", "labels"):
        shutil.copytree(folder / kind / "val", options.record / kind / "val")
    names = [line for line in (folder / "data.yaml").read_text().splitlines() if not line.startswith(("#", "train"))]
    (options.record / "data.yaml").write_text("\n".join(['train: "images/val"'] + names) + "\n")
    settings = {"size": options.size, "batch": options.batch, "conf": options.conf, "iou": options.iou}
    (options.record / "expected.json").write_text(json.dumps({**settings, **numbers}, indent=1) + "\n")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("spdc")
    p.add_argument("work", type=pathlib.Path)
    p.add_argument("--model", default="yolov5-spd-n", choices=[n for n in networks.NAMES if n.startswith("yolo")])
    p.add_argument("--weights", default=REPOSITORY / "Examples/weights/yolov5-spd-n-shapes.safetensors", type=pathlib.Path)
    p.add_argument("--size", type=int, default=224)
    p.add_argument("--images", type=int, default=48)
    p.add_argument("--side", type=int, default=320, help="of the images before they are cropped")
    p.add_argument("--batch", type=int, default=8)
    p.add_argument("--conf", type=float, default=0.001)
    p.add_argument("--iou", type=float, default=0.6)
    p.add_argument("--seed", type=int, default=5)
    p.add_argument("--record", type=pathlib.Path, metavar="FOLDER", help="keep the images and the numbers for make test")
    options = p.parse_args()
    os.makedirs(options.work, exist_ok=True)
    folder = options.work / "data"
    subprocess.run([options.spdc, "dataset", "shapes", "-o", folder, "--train", "1", "--val", str(options.images),
                    "--size", str(options.side), "--seed", str(options.seed), "--force"], check=True, capture_output=True)
    crop(folder, options.seed)
    yolo, twelve, count = reference(folder, options.weights, options)
    if options.record:
        record(folder, options, {**yolo, "coco": twelve})
    answer = subprocess.run(
        [options.spdc, "val", options.model, "--data", folder / "data.yaml", "--weights", options.weights, "--size",
         str(options.size), "--batch", str(options.batch), "--conf", str(options.conf), "--iou", str(options.iou), "--json"],
        capture_output=True, text=True)
    if answer.returncode:
        sys.exit(answer.stderr)
    ours = json.loads(answer.stdout)
    worst = 0
    for key, value, mine in [(k, v, ours[k]) for k, v in yolo.items()] + [(k, v, ours["coco"][k]) for k, v in twelve.items()]:
        # COCO says -1 where there is nothing to find.
        difference = abs(value - (-1 if mine is None else mine))
        worst = max(worst, difference)
        if difference > LIMIT:
            print(f"{key}: {mine} is not {value:.5f}")
    print(f"{options.images} images, {count} detections: mAP@.5:.95 {yolo['map50_95']:.4f}, AP {twelve['AP']:.4f}, "
          f"maximum difference of 16 numbers {worst:.1e}")
    sys.exit(int(worst > LIMIT))


if __name__ == "__main__":
    main()
