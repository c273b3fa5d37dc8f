"""Measures whole training steps of a detector, from JPEG files to the update: `spdc train` beside PyTorch with OpenCV.

A step reads JPEGs of 640×640, makes a batch of samples (mosaic, random perspective, HSV, flip: the default recipe), and
runs forward pass, YOLOv5's loss, backward pass, SGD with three groups and EMA. Before anything is timed, the three loss
terms of one batch without augmentation must agree; in every round, the mean terms of the first steps with augmentation,
which are random, must be alike.
"""
import argparse
import csv
import math
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import machine
from bench import numbers, say
from cases import WORK
from contender import FOREIGN, Contender
from ours import Failure
from results import Results

CLASSES, SIDE = 6, 640
LOSS, ALIKE = 2e-4, 2  # relative limits: of one batch; of the mean over n random samples, times √n
PLAIN = ["mosaic", "translate", "scale", "fliplr", "hsv-h", "hsv-s", "hsv-v"]
LOADERS = (0, 1, 2)  # processes that make PyTorch's samples; 0: in line, with OpenCV's threads


class Trainer(Contender):
    """A detection_worker.py process with its loaders: all of them run only inside ask()."""

    def __init__(self, model, size, batch, threads, loaders, folder, limit=1800):
        self.start("torch", ["detection_worker.py", model, size, batch, threads, loaders, folder], threads,
                   folder / f"torch-{size}-{loaders}.log", limit)

    def pause(self):
        os.killpg(self.process.pid, signal.SIGSTOP)

    def ask(self, order):
        os.killpg(self.process.pid, signal.SIGCONT)
        return super().ask(order)

    def end(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        super().end()

    def used(self):
        """Processor seconds of the worker and its loaders."""
        group = []
        for entry in pathlib.Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and os.getpgid(int(entry.name)) == self.process.pid:
                    group.append(machine.used_by(int(entry.name)))
            except (OSError, ValueError):
                continue
        return sum(group)


class Ours:
    """`spdc train` of two epochs, of which the second is timed: a process for each turn, from the initial weights."""

    def __init__(self, spdc, model, size, batch, threads, folder):
        self.command = [spdc, "train", model, "--preset", "yolov5-spd-n", "--weights", folder / "initial.pt", "--size",
                        size, "--batch", batch, "--threads", threads, "--epochs", 2, "--set", "validate-every=2", "--set",
                        "autoanchor=false", "--json"]
        self.folder = folder

    def train(self, data, *settings):
        """Images per second of the second epoch's training, and the mean loss terms of the first."""
        with tempfile.TemporaryDirectory(dir=self.folder) as out:
            run = pathlib.Path(out) / "run"
            command = [*self.command, "--data", self.folder / data, "-o", run]
            for setting in settings:
                command += ["--set", setting]
            found = subprocess.run([str(word) for word in command], capture_output=True, text=True)
            if found.returncode:
                raise Failure(found.stderr)
            with open(run / "results.csv", newline="") as file:
                first, second = ({key.strip(): value for key, value in row.items()} for row in csv.DictReader(file))
        return float(second["images_per_second"]), [float(first[f"train/{name}_loss"]) for name in ("box", "obj", "cls")]


def prepare(spdc, model, batch, steps):
    """A folder with the images of `steps` batches, those of the first batch alone, and initial weights."""
    import torch
    import yolo_recipe
    folder = WORK / "detection-training" / f"{model}-batch-{batch}-steps-{steps}"
    if not (folder / "initial.pt").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        subprocess.run([spdc, "dataset", "shapes", "-o", folder / "data", "--train", str(batch * steps), "--val", "1",
                        "--size", str(SIDE), "--classes", str(CLASSES)], check=True, capture_output=True)
        for kind in ("images", "labels"):
            for split in ("train", "val"):
                (folder / "first" / kind / split).mkdir(parents=True)
                for file in sorted((folder / "data" / kind / split).iterdir())[:batch]:
                    os.link(file, folder / "first" / kind / split / file.name)
        shutil.copy(folder / "data/data.yaml", folder / "first")
        torch.save(yolo_recipe.initial(model, CLASSES).state_dict(), folder / "initial.pt")
    return folder


def apart(found, expected):
    return max(abs(a - b) / b for a, b in zip(found, expected))


def check(ours, trainer):
    """The difference of the terms of one batch without augmentation."""
    _, terms = ours.train("first", "rect=true", *(f"{name}=0" for name in PLAIN))
    difference = apart(terms, trainer.first["terms"])
    if not difference <= LOSS:
        raise Failure(f"the loss of one batch differs: {terms}, and {trainer.first['terms']} of PyTorch; "
                      "nothing was timed")
    return difference


def turn(measured, used, batch):
    """A turn's time per step in ms, the loss terms, and the share of a processor that other programs used meanwhile."""
    begin, all_before, own_before = time.monotonic(), machine.busy(), used()
    rate, terms = measured()
    own = used() - own_before
    foreign = max(0, machine.busy() - all_before - own) / (time.monotonic() - begin)
    return {"step_ms": 1e3 * batch / rate, "terms": terms, "foreign": foreign}


def torch_rate(trainer, steps, batch):
    reply = trainer.ask({"steps": steps})
    return 1e3 * batch * len(reply["times_ms"]) / sum(reply["times_ms"]), reply["terms"]


def fastest(options, size, folder):
    """Starts PyTorch with each number of loaders, and keeps the fastest: (trainer, loaders, ms of a step by loaders)."""
    best, found = None, {}
    for loaders in options.loaders:
        trainer = Trainer(options.model, size, options.batch, options.threads, loaders, folder)
        try:
            rate, _ = torch_rate(trainer, options.trial, options.batch)
        except BaseException:
            trainer.end()
            raise
        found[loaders] = 1e3 * options.batch / rate
        say(f"torch, {loaders} loader processes: {found[loaders]:.0f} ms a step")
        if found[loaders] > min(found.values()):
            trainer.end()
            continue
        if best:
            best[0].end()
        best = (trainer, loaders)
    return *best, found


def one_case(options, size, results):
    folder = prepare(options.spdc, options.model, options.batch, options.steps)
    ours = Ours(options.spdc, options.model, size, options.batch, options.threads, folder)
    trainer, loaders, trials = fastest(options, size, folder)
    rounds = []
    try:
        difference = check(ours, trainer)
        say(f"loss terms of one batch agree within {difference:.1e}")
        while len(rounds) < options.rounds:
            turns = {"spdc": (lambda: ours.train("data"), machine.used_here),
                     "torch": (lambda: torch_rate(trainer, options.steps, options.batch), trainer.used)}
            order = ["spdc", "torch"] if len(rounds) % 2 == 0 else ["torch", "spdc"]
            found = {name: turn(*turns[name], options.batch) for name in order}
            alike = apart(found["spdc"]["terms"], found["torch"]["terms"])
            if not alike <= ALIKE / math.sqrt(options.batch * options.steps):
                raise Failure(f"mean loss terms of random batches: {found['spdc']['terms']}, and "
                              f"{found['torch']['terms']} of PyTorch")
            kept = max(t["foreign"] for t in found.values()) <= FOREIGN
            rounds.append({"figures": found, "alike": alike, "kept": kept})
            say(f"round {len(rounds)}: spdc {found['spdc']['step_ms']:.0f} ms, torch {found['torch']['step_ms']:.0f} ms "
                f"a step, mean terms within {100 * alike:.0f} %" + ("" if kept else ", disturbed"))
    finally:
        trainer.end()
    results.put(f"{options.model} {size} batch {options.batch} threads {options.threads}", {
        "model": options.model, "size": size, "batch": options.batch, "threads": options.threads,
        "steps": options.steps, "loaders": loaders, "trials": trials, "loss_difference": difference, "rounds": rounds})
    times = {name: [r["figures"][name]["step_ms"] for r in rounds] for name in ("spdc", "torch")}
    say(f"{size}x{size}: ratio of minimums {min(times['torch']) / min(times['spdc']):.2f}, of medians "
        f"{statistics.median(times['torch']) / statistics.median(times['spdc']):.2f}")


def main():
    p = argparse.ArgumentParser(prog="Benchmarks/training/detection", description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("spdc", metavar="SPDC", help="path of the command, such as .build/release/spdc")
    p.add_argument("--model", default="yolov5-spd-n")
    p.add_argument("--sizes", type=numbers, default=[320], metavar="320,640", help="default 320")
    p.add_argument("--batch", type=int, default=16)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--loaders", type=lambda text: [int(word) for word in text.split(",")], default=LOADERS, metavar="0,1,2",
                   help="numbers of PyTorch's loader processes to choose from; default 0,1,2")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--steps", type=int, default=10, help="steps of a turn (default 10)")
    p.add_argument("--trial", type=int, default=4, help="steps that choose the number of loaders (default 4)")
    p.add_argument("--quick", action="store_true", help="smoke test: two rounds of two steps of four images")
    p.add_argument("--json", metavar="FILE", help="result file; default build/peers/detection-training.json")
    options = p.parse_args()
    options.spdc = shutil.which(options.spdc) or sys.exit(f"{options.spdc}: not a program")
    if options.quick:
        options.batch, options.rounds, options.steps, options.trial, options.loaders = 4, 2, 2, 1, [0, 1]
    name = "detection-training-quick.json" if options.quick else "detection-training.json"
    results = Results(pathlib.Path(options.json) if options.json else WORK / name)
    results.about(machine=machine.describe(), versions=machine.versions(["torch", "numpy", "opencv-python-headless"]),
                  spdc=subprocess.run([options.spdc, "--version"], capture_output=True, text=True).stdout.strip(),
                  limits={"loss": LOSS, "alike": ALIKE, "foreign": FOREIGN})
    try:
        for size in options.sizes:
            say(f"{options.model} {size}x{size}, batch {options.batch}, {options.threads} threads")
            one_case(options, size, results)
    except Failure as failure:
        sys.exit(f"error: {failure}")


if __name__ == "__main__":
    main()
