"""Finds objects in a folder of images with OpenVINO and OpenCV, and writes a CSV file: what `spdc detect --csv` does.

usage: detect_openvino.py NETWORK.onnx IMAGES OUT.csv --threads N --mode loop|async

`loop` runs one image after the other on all threads; `async` lets OpenVINO run several at once while others are read.
"""
import argparse
import csv
from pathlib import Path

import cv2
import numpy as np
import openvino

CONFIDENCE, IOU, MAXIMUM = 0.25, 0.45, 1000


def read(path, size):
    """A letterboxed image as N×3×H×W, and how it was fitted."""
    image = cv2.imread(str(path))
    height, width = image.shape[:2]
    ratio = min(size / height, size / width)
    content = (round(width * ratio), round(height * ratio))
    if content != (width, height):
        image = cv2.resize(image, content, interpolation=cv2.INTER_LINEAR)
    pad_x, pad_y = (size - content[0]) / 2, (size - content[1]) / 2
    left, top = round(pad_x - 0.1), round(pad_y - 0.1)
    image = cv2.copyMakeBorder(
        image, top, size - content[1] - top, left, size - content[0] - left, cv2.BORDER_CONSTANT, value=(114, 114, 114))
    return cv2.dnn.blobFromImage(image, 1 / 255, swapRB=True), (path, ratio, pad_x, pad_y, width, height)


def detections(rows, fit):
    path, ratio, pad_x, pad_y, width, height = fit
    rows = rows[rows[:, 4] > CONFIDENCE]
    scores = rows[:, 5:] * rows[:, 4:5]
    classes = scores.argmax(1)
    scores = scores[np.arange(len(rows)), classes]
    keep = scores > CONFIDENCE
    rows, classes, scores = rows[keep], classes[keep], scores[keep]
    corners = np.concatenate([rows[:, :2] - rows[:, 2:4] / 2, rows[:, 2:4]], 1)
    chosen = cv2.dnn.NMSBoxesBatched(corners, scores, classes, CONFIDENCE, IOU)
    chosen = np.array(chosen, dtype=int)[:MAXIMUM]
    boxes = np.concatenate([corners[chosen, :2], corners[chosen, :2] + corners[chosen, 2:]], 1)
    boxes = ((boxes - [pad_x, pad_y, pad_x, pad_y]) / ratio).clip(0, [width, height, width, height])
    return [[str(path), "", label, "", score, *box] for label, score, box in zip(classes[chosen], scores[chosen], boxes)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("network")
    parser.add_argument("images", type=Path)
    parser.add_argument("out")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--mode", choices=["loop", "async"], default="loop")
    options = parser.parse_args()
    cv2.setNumThreads(options.threads)
    hint = "LATENCY" if options.mode == "loop" else "THROUGHPUT"
    compiled = openvino.Core().compile_model(
        options.network, "CPU", {"PERFORMANCE_HINT": hint, "INFERENCE_NUM_THREADS": options.threads})
    size = compiled.input(0).shape[2]
    results = {}
    paths = sorted(options.images.glob("*.jpg"))
    if options.mode == "loop":
        request = compiled.create_infer_request()
        for path in paths:
            blob, fit = read(path, size)
            request.infer([blob], share_inputs=True)
            results[path] = detections(request.get_output_tensor(0).data[0], fit)
    else:
        queue = openvino.AsyncInferQueue(compiled)

        def done(request, fit):
            results[fit[0]] = detections(request.get_output_tensor(0).data[0], fit)

        queue.set_callback(done)
        for path in paths:
            blob, fit = read(path, size)
            queue.start_async([blob], fit)
        queue.wait_all()
    with open(options.out, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "frame", "class", "name", "score", "x1", "y1", "x2", "y2"])
        for path in paths:
            writer.writerows(results[path])


main()
