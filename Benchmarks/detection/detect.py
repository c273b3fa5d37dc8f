"""Times `spdc detect` on 500 JPEGs beside inference alone, and beside a Python script with OpenVINO and OpenCV.

usage: Benchmarks/detection/detect SPDC [--rounds N] [--threads N] [--images N] [--seconds N]

yolov5-spd-n at 640×640 with the trained weights of Tests/Fixtures/shapes (5 classes), on JPEGs of 640×480. All programs
read, letterbox, run, suppress with the same thresholds, and write one CSV file; the runs alternate. The time of a run is
that of the whole process less that of the same process with one image: start-up, compilation and loading are left out.
"""
import argparse
import csv
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
WEIGHTS = ROOT / "Tests/Fixtures/shapes/yolov5-spd-n-shapes.pt"
NETWORK = ["yolov5-spd-n", "--size", "640x640", "--weights", str(WEIGHTS)]


def make_images(folder, count):
    """Draws shapes on blurred noise, as JPEGs of 640×480 and about 60 kB."""
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(count):
        path = folder / f"{index:04}.jpg"
        if path.exists():
            continue
        rng = np.random.default_rng(index)
        image = cv2.resize(rng.integers(0, 256, (8, 10, 3), dtype=np.uint8), (640, 480), interpolation=cv2.INTER_CUBIC)
        image = cv2.add(image, cv2.GaussianBlur(rng.integers(0, 90, (480, 640, 3), dtype=np.uint8), (3, 3), 0))
        for _ in range(rng.integers(3, 12)):
            centre = tuple(int(value) for value in rng.integers(40, (600, 440)))
            size = int(rng.integers(8, 40))
            colour = tuple(int(value) for value in rng.integers(0, 256, 3))
            if rng.random() < 0.5:
                cv2.circle(image, centre, size, colour, -1, cv2.LINE_AA)
            else:
                corner = (centre[0] + size, centre[1] + size)
                cv2.rectangle(image, (centre[0] - size, centre[1] - size), corner, colour, -1)
        cv2.imwrite(str(path), image, [cv2.IMWRITE_JPEG_QUALITY, 90])


def timed(command):
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    return time.perf_counter() - start


def rows(path):
    """The detections of a CSV file by image."""
    found = {}
    with open(path, newline="") as file:
        for row in csv.DictReader(file):
            numbers = [float(row[key]) for key in ("x1", "y1", "x2", "y2")]
            found.setdefault(Path(row["image"]).name, []).append((int(row["class"]), float(row["score"]), numbers))
    return found


def agreement(ours, theirs):
    """The share of detections of either side that the other has: same class, boxes within 2 pixels."""
    matched = total = 0
    for a, b in ((ours, theirs), (theirs, ours)):
        for name, detections in a.items():
            total += len(detections)
            for label, _, box in detections:
                matched += any(
                    label == other and max(abs(p - q) for p, q in zip(box, corners)) < 2
                    for other, _, corners in b.get(name, []))
    return matched / max(total, 1), total // 2


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("spdc")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--images", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=3, help="of inference alone in each round")
    options = parser.parse_args()
    spdc, threads, count = os.path.abspath(options.spdc), str(options.threads), options.images
    folder = ROOT / "build/peers/detect"
    images = folder / f"images-{count}"
    make_images(images, count)
    one = folder / "one"
    make_images(one, 1)
    onnx = folder / "yolov5-spd-n.onnx"
    subprocess.run([spdc, "export", *NETWORK, "-o", str(onnx)], check=True, stderr=subprocess.DEVNULL)

    def detect(source, table):
        return [spdc, "detect", *NETWORK, "--threads", threads, "--csv", str(table), str(source)]

    def peer(mode):
        script = [sys.executable, str(HERE / "detect_openvino.py"), str(onnx)]
        return lambda source, table: [*script, str(source), str(table), "--threads", threads, "--mode", mode]

    programs = {"spdc detect": detect, "OpenVINO, loop": peer("loop"), "OpenVINO, async": peer("async")}
    rates = {name: [] for name in ["inference alone", *programs]}
    whole = {name: [] for name in programs}
    tables = {}
    for name, command in programs.items():
        tables[name] = folder / (name.replace(" ", "-").replace(",", "") + ".csv")
        timed(command(one, tables[name]))  # fills the caches
    for round in range(options.rounds):
        answer = subprocess.run(
            [spdc, "bench", *NETWORK, "--threads", threads, "--seconds", str(options.seconds), "--json"], check=True,
            capture_output=True)
        rates["inference alone"].append(1000 / json.loads(answer.stdout)["median_ms"])
        for name, command in programs.items():
            startup = timed(command(one, tables[name]))
            seconds = timed(command(images, tables[name]))
            whole[name].append(count / seconds)
            rates[name].append((count - 1) / (seconds - startup))
        print(f"round {round + 1}: " + ", ".join(f"{name} {values[-1]:.1f}" for name, values in rates.items())
              + f" images/s, load {os.getloadavg()[0]:.1f}", flush=True)

    print(f"\n{count} JPEGs of 640×480, {threads} threads, {options.rounds} rounds, images/s")
    print(f"{'':18} {'best':>7} {'median':>7} {'with start-up':>14}")
    for name, values in rates.items():
        start = f"{statistics.median(whole[name]):14.1f}" if name in whole else ""
        print(f"{name:18} {max(values):7.1f} {statistics.median(values):7.1f} {start}")
    ours = rates["spdc detect"]
    for name in rates:
        if name != "spdc detect":
            ratios = [a / b for a, b in zip(ours, rates[name])]
            print(f"spdc detect / {name}: median {statistics.median(ratios):.2f}, minimum {min(ratios):.2f}")
    share, total = agreement(rows(tables["spdc detect"]), rows(tables["OpenVINO, loop"]))
    print(f"{100 * share:.1f} % of {total} detections agree (class, and box within 2 pixels)")


main()
