"""Writes docs/measured/detection-training.md from the results of detection.py; measures nothing."""
import argparse
import json
import pathlib
import statistics

import cases
from metrics import processor, table, times_faster

PAGE = """\
# Training a detector, from files to the update

`Benchmarks/training/detection` measures this, a part of `make bench-train`. {machine}; spdc {spdc}.

One step of the preset's recipe: JPEGs of 640×640, mosaic, random perspective, HSV and flip, forward pass, YOLOv5's loss, backward
pass, SGD with Nesterov momentum and three parameter groups, EMA. `spdc train` as it is, with its loader thread, the second
epoch of two; PyTorch {torch}, eager, with OpenCV {opencv} and NumPy, its samples made in line or by loader processes,
whichever was faster in a trial. A turn is {steps} steps after warming up; turns alternate. The loss terms of one batch
without augmentation agree within {difference:.1e}; the mean terms of a turn, whose samples are random, within {alike:.0f} %.
{left_out} of {rounds} rounds were disturbed by other programs (more than {foreign:.0f} % of a processor) and do not count; † marks
cases that had no others.

Milliseconds per step: minimum, median.
"""
HEADER = ["network", "batch", "threads", "spdc", "PyTorch", "PyTorch's samples", "ratio of minimums", "ratio of medians"]


def row(case):
    kept = [r for r in case["rounds"] if r["kept"]]
    times = {name: [r["figures"][name]["step_ms"] for r in kept or case["rounds"]] for name in ("spdc", "torch")}
    cells = [f"{min(t):.0f}, {statistics.median(t):.0f}" for t in times.values()]
    ratios = [times_faster(figure(times["torch"]) / figure(times["spdc"])) for figure in (min, statistics.median)]
    samples = {0: "in line", 1: "1 process"}.get(case["loaders"], f"{case['loaders']} processes")
    title = f"{case['model']} {case['size']}×{case['size']}" + ("" if kept else " †")
    return [title, str(case["batch"]), str(case["threads"]), *cells, samples, *ratios]


def main():
    p = argparse.ArgumentParser(prog="detection_report.py", description=__doc__)
    p.add_argument("--json", default=str(cases.WORK / "detection-training.json"), metavar="FILE")
    p.add_argument("--docs", default=str(cases.ROOT / "docs/measured"), metavar="DIR")
    options = p.parse_args()
    data = json.loads(pathlib.Path(options.json).read_text())
    measured, versions = list(data["cases"].values()), data["versions"]
    rounds = [r for case in measured for r in case["rounds"]]
    page = PAGE.format(
        machine=processor(data["machine"]), spdc=data["spdc"], torch=versions["torch"]["version"],
        opencv=versions["opencv-python-headless"]["version"],
        steps=" or ".join(map(str, sorted({case["steps"] for case in measured}))),
        difference=max(case["loss_difference"] for case in measured), alike=100 * max(r["alike"] for r in rounds),
        left_out=sum(not r["kept"] for r in rounds), rounds=len(rounds), foreign=100 * data["limits"]["foreign"])
    path = pathlib.Path(options.docs) / "detection-training.md"
    path.write_text(page + "\n" + table(HEADER, map(row, measured)))
    print(path)


if __name__ == "__main__":
    main()
