"""Writes docs/measured/training.md and its plot from the results of training.py; measures nothing."""
import argparse
import json
import pathlib
import statistics

import cases
import plot
from metrics import processor, table, times_faster

plt = plot.plt
OURS, PEERS = "spdc", ["torch", "torch-channels-last", "torch-compile"]
HEAD = """\
# Training steps

`make bench-train` measures this beside PyTorch; `Benchmarks/training/report` writes it from the results in
`build/peers/training.json`. One step is forward, loss, backward and SGD with momentum and weight decay on every
parameter, float32, the same synthetic parameters, images and labels or boxes for all: cross-entropy for the
classifiers, the whole YOLOv5 loss for the detectors.

{machine}. spdc {spdc}, PyTorch {torch}, {gcc} (for torch.compile), {clang} (for spdc's C).

Each contender is a process of its own, stopped while the others run. A case is measured in interleaved rounds; in each one
every contender has a turn, in rotating order. Before anything is timed, the first step of each must agree with eager
PyTorch's in float64: the loss within {loss} of it, the L2 norm of each parameter's gradient within {gradient} (norms
below 1e-4 of the largest are raised to it). If larger, the limit is twice the difference of PyTorch's own three from it: deep
networks on small maps amplify rounding. {disturbed}

{settings}

Ratios are against the best of PyTorch's three by the same statistic. *Spread* is the interquartile range of the times, as a share
of the median. Memory is the peak of later steps above what the process had after its imports: parameters, momentum, images,
activations, and gradients for as long as the contender keeps them. Memory used while compiling is not included.

![training steps beside PyTorch](training.svg)
"""
THREADS = """\
## Thread scaling

Measured interleaved, in the same rounds: how much faster a step is, by the minimum times and by the medians. Next to it, what the
machine itself gained after each round: multiply-adds in registers, which bound every program, and the addition of one large array
to another; by the best rates and by the medians.
"""


class Case:
    def __init__(self, raw):
        self.raw, self.model, self.batch, self.threads = raw, raw["model"], raw["batch"], raw["threads"]
        self.title = f"{self.model} {raw['size']}×{raw['size']}"
        kept = [r for r in raw["rounds"] if r["kept"]]
        self.disturbed = not kept
        self.dropped = len(raw["rounds"]) - len(kept)
        self.times = {name: [t for r in kept or raw["rounds"] for t in r["figures"][name]["times_ms"]]
                      for name in raw["contenders"]}

    def least(self, name):
        return min(self.times[name])

    def median(self, name):
        return statistics.median(self.times[name])

    def spread(self, name):
        times = self.times[name]
        if len(times) < 2:
            return 0
        low, _, high = statistics.quantiles(times, n=4, method="inclusive")
        return (high - low) / self.median(name)

    def memory(self, name):
        return self.raw["contenders"][name]["peak_bytes"]

    def best(self, figure):
        return min((n for n in PEERS if n in self.times), key=figure)

    def ratio(self, figure):
        return figure(self.best(figure)) / figure(OURS)


def rows(found):
    for c in found:
        def cell(name):
            return f"{c.least(name):.0f}, {c.median(name):.0f} ({100 * c.spread(name):.0f} %)"
        yield [c.title + (" †" if c.disturbed else ""), str(c.batch), str(c.threads), *map(cell, [OURS, *PEERS]),
               c.best(c.median), times_faster(c.ratio(c.least)), times_faster(c.ratio(c.median))]


def memory_rows(found):
    for c in found:
        yield [c.title, str(c.batch), str(c.threads), *(f"{c.memory(n) / 1e6:.0f}" for n in [OURS, *PEERS]),
               *(f"{c.memory(OURS) / c.memory(c.best(figure)):.2f}" for figure in (c.memory, c.median))]


def thread_rows(found):
    """Thread scaling of spdc's step and of the machine, by the best times and by the medians."""
    for raw in found:
        few, many = str(raw["few"]), str(raw["many"])
        kept = [r for r in raw["rounds"] if r["kept"]] or raw["rounds"]
        times = {n: [t for r in kept for t in r["figures"][n]["times_ms"]] for n in (few, many)}
        cells = [[figure(times[few]) / figure(times[many]) for figure in (min, statistics.median)]]
        for index in range(2):
            rates = {n: [r["machine"][n][index] for r in kept] for n in (few, many)}
            cells.append([figure(rates[many]) / figure(rates[few]) for figure in (max, statistics.median)])
        yield [f"{raw['model']} {raw['size']}×{raw['size']}", str(raw["batch"]), f"{many} beside {few}",
               *(", ".join(map(times_faster, pair)) for pair in cells)]


def batch_rows(points):
    for c in points:
        yield [c.title + (" †" if c.disturbed else ""), str(c.batch), str(c.threads), f"{c.least(OURS):.1f}",
               f"{c.median(OURS):.1f} ({100 * c.spread(OURS):.0f} %)", f"{c.median(OURS) / c.batch:.2f}",
               f"{1e3 * c.batch / c.median(OURS):.1f}", f"{c.memory(OURS) / 1e6:.0f}"]


def check_rows(found):
    for c in found:
        for name, facts in c.raw["contenders"].items():
            if "loss_difference" in facts:
                yield [c.title, str(c.batch), str(c.threads), name, f"{facts['loss']:.6f}",
                       f"{facts['loss_difference']:.1e}", f"{facts['gradient_difference']:.1e}"]


def draw(found, points, caption, path):
    threads = sorted({c.threads for c in found})
    with plt.rc_context(plot.PARAMETERS):
        panels = len(threads) + bool(points)
        figure, axes = plt.subplots(1, panels, figsize=(5.5 * panels, 3.8), squeeze=False, layout="constrained")
        for axis, count in zip(axes[0], threads):
            chosen = [c for c in found if c.threads == count]
            for k, name in enumerate([OURS, *PEERS]):
                values = [c.median(c.best(c.median)) / c.median(name) for c in chosen]
                axis.bar([i + (k - 1.5) * 0.2 for i in range(len(chosen))], values, 0.19, color=plot.COLOURS[name],
                         label=name)
                if name == OURS:
                    for i, value in enumerate(values):
                        axis.text(i - 0.3, value, f"{value:.2f}", ha="center", va="bottom", fontsize=6)
            axis.axhline(1, color="black", linewidth=0.8)
            names = [c.title.replace(" ", "\n") + f"\nbatch {c.batch}" for c in chosen]
            axis.set_xticks(range(len(chosen)), names, fontsize=6)
            axis.set_title(f"images per second, best of PyTorch = 1, {count} thread" + "s" * (count > 1), fontsize=8)
        axes[0][0].legend(frameon=False, fontsize=6)
        if points:
            axis = axes[0][-1]
            sizes = [c.batch for c in points]
            axis.plot(sizes, [c.median(OURS) for c in points], "o-", color=plot.COLOURS[OURS], label="spdc, median")
            rate = points[-1].median(OURS) / sizes[-1]
            axis.plot(sizes, [rate * b for b in sizes], ":", color="black", label="proportional to the largest batch")
            axis.set_xscale("log", base=2)
            axis.set_yscale("log", base=2)
            axis.set_xlabel("images in a batch")
            axis.set_ylabel("ms per step")
            axis.set_title(f"{points[0].title}, {points[0].threads} threads", fontsize=8)
            axis.legend(frameon=False, fontsize=6)
        figure.suptitle(caption, fontsize=8)
        plot.save(figure, path)


def main():
    p = argparse.ArgumentParser(prog="Benchmarks/training/report", description=__doc__)
    p.add_argument("--json", default=str(cases.WORK / "training.json"), metavar="FILE")
    p.add_argument("--docs", default=str(cases.ROOT / "docs/measured"), metavar="DIR")
    options = p.parse_args()
    data, docs = json.loads(pathlib.Path(options.json).read_text()), pathlib.Path(options.docs)
    scaling = [raw for raw in data["cases"].values() if "few" in raw]
    everything = [Case(raw) for raw in data["cases"].values() if raw not in scaling]
    found = [c for c in everything if len(c.times) > 1]
    most = max(c.threads for c in everything)
    points = sorted((c for c in everything if len(c.times) == 1 and c.threads == most), key=lambda c: c.batch)
    dropped, rounds = sum(c.dropped for c in everything), sum(len(c.raw["rounds"]) for c in everything)
    foreign = f"{100 * data['limits']['foreign']:.0f} %"
    disturbed = (f"Rounds in which other programs used more than {foreign} of a processor do not count ({dropped} of {rounds}); "
                 "† marks cases that had no others.")
    machine, torch = data["machine"], data["versions"]["torch"]["version"]
    parts = [HEAD.format(machine=processor(machine), spdc=data["spdc"], torch=torch, gcc=data["compiler"],
                         clang=machine["clang"], loss=data["limits"]["loss"], gradient=data["limits"]["gradient"],
                         disturbed=disturbed,
                         settings="\n".join(f"- **{n}**: {text}" for n, text in data["settings"].items()))]
    start = ["network", "batch", "threads"]
    parts += ["## Time\n\nMilliseconds per step: minimum, median (spread).\n",
              table([*start, OURS, *PEERS, "best of PyTorch", "ratio of minimums", "ratio of medians"], rows(found)),
              "## Memory\n\nMegabytes at the peak.\n",
              table([*start, OURS, *PEERS, "spdc / smallest of PyTorch", "spdc / fastest of PyTorch"],
                    memory_rows(found))]
    if scaling:
        parts += [THREADS, table(["network", "batch", "threads", OURS, "multiply-adds", "memory"], thread_rows(scaling))]
    if points:
        header = [*start, "minimum ms", "median ms (spread)", "ms per image", "images/s", "peak MB"]
        parts += ["## By batch\n", table(header, batch_rows(points))]
    header = [*start, "contender", "loss", "difference of loss", "maximum difference of gradient norms"]
    parts += ["## First steps beside eager PyTorch in float64\n", table(header, check_rows(found))]
    (docs / "training.md").write_text("\n".join(parts))
    caption = f"{processor(machine)} · spdc {data['spdc']}, PyTorch {torch} · float32 · medians"
    draw(found, points, caption, docs / "training.svg")
    print(docs / "training.md")


if __name__ == "__main__":
    main()
