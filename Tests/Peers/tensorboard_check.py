"""Reads event files with TensorBoard and compares them with the expected scalars.

usage: tensorboard_check.py [RUN ...]

Without arguments: the recorded files that SPDTraining's tests compare the writer with. A RUN is a folder of
`spdc train` with event files and results.csv: every cell must be the scalar of that name and epoch, and there must be
no other epoch.
"""
import csv
import math
import struct
import sys
from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator


def float32(value):
    return struct.unpack("<f", struct.pack("<f", value))[0]


def scalars(folder):
    """{tag: {step: value}} after TensorBoard has dropped the steps that a resumed run wrote again."""
    events = EventAccumulator(str(folder), size_guidance={"tensors": 0, "scalars": 0}).Reload()
    found = {tag: [(e.step, e.value) for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]}
    for tag in events.Tags()["tensors"]:
        found[tag] = [(e.step, e.tensor_proto.float_val[0]) for e in events.Tensors(tag)]
    for tag, values in found.items():
        steps = [step for step, _ in values]
        if steps != sorted(set(steps)):
            sys.exit(f"{folder}: {tag} has the steps {steps}, not each once in their order")
    return {tag: dict(values) for tag, values in found.items()}


def same(first, second):
    return first == second or (math.isnan(first) and math.isnan(second))


def compare(folder, expected):
    found = scalars(folder)
    count = 0
    for tag, values in expected.items():
        if sorted(found.get(tag, {})) != sorted(values):
            sys.exit(f"{folder}: {tag} has the steps {sorted(found.get(tag, {}))}, not {sorted(values)}")
        for step, value in values.items():
            if not same(found[tag][step], float32(value)):
                sys.exit(f"{folder}: {tag} is {found[tag][step]} at step {step}, not {value}")
            count += 1
    print(f"{folder}: TensorBoard reads {count} values of {len(expected)} scalars as written")


def results(run):
    expected = {}
    with open(Path(run) / "results.csv", newline="") as file:
        for row in csv.DictReader(file):
            epoch = int(row.pop("epoch"))
            for tag, cell in row.items():
                if cell:
                    expected.setdefault(tag, {})[epoch] = float(cell)
    return expected


def main():
    runs = sys.argv[1:]
    for run in runs:
        compare(run, results(run))
    if not runs:
        fixtures = Path(__file__).parent.parent / "SPDTrainingTests" / "Fixtures"
        compare(fixtures / "resumed", {"train/loss": {1: 1, 2: 1 / 2, 3: 10 / 3, 4: 10 / 4, 5: 10 / 5}})


if __name__ == "__main__":
    main()
