"""Compares `spdc detect`, also with test-time augmentation, with PyTorch and OpenCV.

    python detection.py SPDC WORK-FOLDER

Images are letterboxed to a square; a box is kept for the best class of a row, and scaled back to the image. Test-time
augmentation runs the input at 1, 0.83 and 0.67 of its size, the second mirrored, padded to a multiple of the stride with
0.447, and drops the coarsest level of the first and the finest of the last.
"""
import argparse
import json
import pathlib
import subprocess
import sys

import cv2
import numpy as np
import torch

import networks
import validation

PASSES = ((1, False), (0.83, True), (0.67, False))


def letterboxed(image, size):
    """The image in a square, its gain and the half pads."""
    h, w = image.shape[:2]
    ratio = min(size / h, size / w)
    inner = (round(w * ratio), round(h * ratio))
    dw, dh = (size - inner[0]) / 2, (size - inner[1]) / 2
    if (w, h) != inner:
        image = cv2.resize(image, inner, interpolation=cv2.INTER_LINEAR)
    image = validation.bordered(image, dw, dh)
    gain = min(image.shape[0] / h, image.shape[1] / w)
    return image, gain, ((image.shape[1] - w * gain) / 2, (image.shape[0] - h * gain) / 2)


def augmented(net, x):
    """Rows of three passes."""
    h, w = x.shape[2:]
    parts = []
    for index, (scale, mirrored) in enumerate(PASSES):
        y = x.flip(3) if mirrored else x
        ph, pw = h, w
        if scale != 1:
            inner = (int(h * scale), int(w * scale))
            y = torch.nn.functional.interpolate(y, size=inner, mode="bilinear", align_corners=False)
            ph, pw = (int(np.ceil(side * scale / 32) * 32) for side in (h, w))
            y = torch.nn.functional.pad(y, [0, pw - inner[1], 0, ph - inner[0]], value=0.447)
        rows = net(y).clone()
        rows[..., :4] /= scale
        if mirrored:
            rows[..., 0] = w - rows[..., 0]
        levels = [3 * (ph // s) * (pw // s) for s in networks.YOLO_STRIDES]
        if index == 0:
            rows = rows[:, :sum(levels) - levels[2]]
        if index == 2:
            rows = rows[:, levels[0]:]
        parts.append(rows)
    return torch.cat(parts, 1)


def best_class(rows, confidence, iou, maximum):
    """Non-maximum suppression of the best class of each row, per class."""
    rows = rows[rows[:, 4] > confidence]
    scores = rows[:, 5:] * rows[:, 4:5]
    single = np.zeros_like(scores)
    at = scores.argmax(1)
    single[np.arange(len(rows)), at] = scores[np.arange(len(rows)), at]
    # Rows with one class left and an objectness of one suppress the same.
    return validation.suppressed(np.concatenate([rows[:, :4], np.ones((len(rows), 1)), single], 1), confidence, iou, maximum)


def compare(mine, reference):
    """The largest difference of matched boxes and scores, and how many have no partner."""
    worst_box = worst_score = 0
    unmatched, rest = 0, list(mine)
    for row in reference:
        same = [d for d in rest if d["class"] == int(row[5])]
        if not same:
            unmatched += 1
            continue
        partner = min(same, key=lambda d: np.abs(np.array(d["box"]) - row[:4]).max())
        difference = np.abs(np.array(partner["box"]) - row[:4]).max()
        if difference > 1:
            unmatched += 1
            continue
        rest.remove(partner)
        worst_box = max(worst_box, difference)
        worst_score = max(worst_score, abs(partner["score"] - row[4]))
    return worst_box, worst_score, unmatched + len(rest)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("spdc")
    p.add_argument("work", type=pathlib.Path)
    p.add_argument("--weights", type=pathlib.Path,
                   default=validation.REPOSITORY / "Examples/weights/yolov5-spd-n-shapes.safetensors")
    p.add_argument("--size", type=int, default=224)
    p.add_argument("--images", type=int, default=20)
    options = p.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    folder = options.work / "data"
    subprocess.run([options.spdc, "dataset", "shapes", "-o", folder, "--train", "1", "--val", str(options.images),
                    "--size", "320", "--seed", "11", "--force"], check=True, capture_output=True)
    validation.crop(folder, 11)
    net, _ = validation.detector("yolov5-spd-n", options.weights)
    failed = False
    for extra in ([], ["--augment"]):
        command = [options.spdc, "detect", "yolov5-spd-n", "--weights", options.weights, "--size", str(options.size), "--conf",
                   "0.05", "--iou", "0.45", "--json", *extra, folder / "images/val"]
        answer = subprocess.run(command, capture_output=True, text=True)
        if answer.returncode:
            sys.exit(answer.stderr)
        count, boxes, scores, unmatched = 0, 0, 0, 0
        for entry in json.loads(answer.stdout):
            image = cv2.imread(entry["image"])
            h0, w0 = image.shape[:2]
            padded, gain, pads = letterboxed(image, options.size)
            x = torch.from_numpy(padded[None, ..., ::-1].transpose(0, 3, 1, 2).copy()).float() / 255
            with torch.inference_mode():
                rows = (augmented(net, x) if extra else net(x))[0].numpy()
            found = best_class(rows, 0.05, 0.45, 1000)
            found[:, :4] = validation.original(found[:, :4], gain, pads, h0, w0)
            b, s, u = compare(entry["detections"], found)
            count, boxes, scores, unmatched = count + len(found), max(boxes, b), max(scores, s), unmatched + u
        print(f"{' '.join(['detect', *extra])}: {count} detections, {unmatched} without a partner, boxes within {boxes:.1e} pixels, "
              f"scores within {scores:.1e}")
        failed |= unmatched > count // 200 or boxes > 0.05 or scores > 1e-3
    sys.exit(int(failed))


if __name__ == "__main__":
    main()
