"""Compares the loss of `spdc train` with PyTorch's over 104 steps of YOLOv5's recipe, on generated images.

    python training_curve.py SPDC WORK-FOLDER [--model yolov5-spd-n] [--epochs 13] ...

Both read the same files and begin with the same weights: PyTorch's initialisation, and Detect's biases near the frequencies
of objects and classes. SGD with Nesterov momentum, three parameter groups, warm-up, cosine schedule, the nominal batch of
64 and its accumulation are the preset's; augmentation is off, and batches follow the order of the files, so that both see
the same ones. A point of the curve is an epoch: the mean of its eight mini-batches of eight images.

The loss must stay within 1 % of PyTorch's in float64. How far PyTorch's own float32 is from it shows how much rounding
grows in such a run; with fewer and smaller images it soon exceeds 1 %.
"""
import argparse
import csv
import json
import pathlib
import shutil
import subprocess
import sys

import cv2
import numpy as np
import torch

import networks

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "Benchmarks" / "training"))
import yolo_loss  # noqa: E402
import yolo_recipe  # noqa: E402

LIMIT = 0.01
CLASSES = 6
AUGMENTATION = ["mosaic", "translate", "scale", "fliplr", "hsv-h", "hsv-s", "hsv-v"]


def batches(folder, size):
    """Images as N×3×H×W bytes and labels by image, in the order of their names."""
    images, labels = [], []
    for path in sorted((folder / "images/train").iterdir()):
        images.append(cv2.imread(str(path))[..., ::-1].transpose(2, 0, 1))
        text = (folder / "labels/train" / f"{path.stem}.txt").read_text()
        labels.append(np.array([line.split() for line in text.splitlines()], np.float32).reshape(-1, 5))
    images = np.stack(images)
    assert images.shape[1:] == (3, size, size)
    return images, labels


def train(net, data, options, dtype):
    """The box, objectness and class loss of each epoch."""
    images, labels = data
    net = net.to(dtype).train()
    anchors = net.model[-1].anchors
    gains = yolo_recipe.gains(options.size, CLASSES)
    optimiser = yolo_recipe.optimiser(net, options.batch)
    per_epoch = len(images) // options.batch
    warmup = max(yolo_recipe.WARMUP_EPOCHS * per_epoch, options.warmup)
    curve, done, summed = [], 0, 0
    for epoch in range(options.epochs):
        total = np.zeros(3)
        for first in range(0, len(images), options.batch):
            *rates, wanted = yolo_recipe.schedule(done, epoch, options.epochs, warmup, options.batch)
            batch = torch.from_numpy(images[first:first + options.batch]).to(dtype) / 255
            targets = torch.from_numpy(np.concatenate(
                [np.c_[np.full(len(l), i), l] for i, l in enumerate(labels[first:first + options.batch])])).to(dtype)
            terms = yolo_loss.terms(net(batch), targets, anchors, gains)
            (len(batch) * sum(terms)).backward()
            total += [term.item() for term in terms]
            done, summed = done + 1, summed + 1
            # As documented, the end of an epoch completes a step.
            if summed >= wanted or done % per_epoch == 0:
                yolo_recipe.update(optimiser, *rates)
                summed = 0
        curve.append(total / per_epoch)
    return np.array(curve)


def ours(spdc, weights, data, folder, options):
    """The same of `spdc train`."""
    shutil.rmtree(folder, ignore_errors=True)
    settings = {**dict.fromkeys(AUGMENTATION, 0), "rect": "true", "autoanchor": "false",
                "warmup-iterations": options.warmup, "validate-every": options.epochs}
    command = [spdc, "train", options.model, "--preset", "yolov5-spd-n", "--data", data, "--weights", weights, "--size",
               options.size, "--batch", options.batch, "--epochs", options.epochs, "--threads", options.threads, "-o",
               folder, "--json"]
    for key, value in settings.items():
        command += ["--set", f"{key}={value}"]
    answer = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if answer.returncode:
        sys.exit(answer.stderr)
    with open(folder / "results.csv", newline="") as file:
        rows = [{key.strip(): value for key, value in row.items()} for row in csv.DictReader(file)]
    return np.array([[float(row[f"train/{name}_loss"]) for name in ("box", "obj", "cls")] for row in rows])


def deviation(found, exact):
    """The relative deviation of the total at each point."""
    return np.abs(found.sum(1) - exact.sum(1)) / exact.sum(1)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("spdc")
    p.add_argument("work", type=pathlib.Path)
    p.add_argument("--model", default="yolov5-spd-n", choices=[n for n in networks.NAMES if n.startswith("yolo")])
    p.add_argument("--images", type=int, default=64)
    p.add_argument("--batch", type=int, default=8)
    p.add_argument("--size", type=int, default=128)
    p.add_argument("--epochs", type=int, default=13)
    p.add_argument("--warmup", type=int, default=1000, metavar="N", help="minimum iterations of the warm-up")
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--threads", type=int, default=2, metavar="N")
    p.add_argument("--record", metavar="CURVES.json")
    options = p.parse_args()
    torch.set_num_threads(options.threads)
    options.work.mkdir(parents=True, exist_ok=True)
    data = options.work / "data"
    subprocess.run([options.spdc, "dataset", "shapes", "-o", data, "--train", str(options.images), "--val", "4", "--size",
                    str(options.size), "--format", "png", "--force"], check=True, capture_output=True)
    weights = options.work / "initial.pt"
    torch.save(yolo_recipe.initial(options.model, CLASSES, options.seed).state_dict(), weights)
    curves = {"spdc": ours(options.spdc, weights, data, options.work / "run", options)}
    files = batches(data, options.size)
    for name in ("float32", "float64"):
        net = yolo_recipe.initial(options.model, CLASSES, options.seed)
        curves[name] = train(net, files, options, getattr(torch, name))
    if options.record:
        pathlib.Path(options.record).write_text(json.dumps({k: c.tolist() for k, c in curves.items()}))
    exact = curves["float64"]
    mine, rounding = (deviation(curves[name], exact) for name in ("spdc", "float32"))
    print(f"{options.model} {options.size}x{options.size}, {options.images} images, batch {options.batch}, "
          f"{options.epochs} epochs: loss {exact[0].sum():.4f} to {exact[-1].sum():.4f}, maximum deviation from PyTorch "
          f"in float64 {mine.max():.1e} in epoch {mine.argmax() + 1}, of its float32 {rounding.max():.1e}")
    sys.exit(not mine.max() <= LIMIT)


main()
