"""Writes docs/measured/experiment.md and docs/measured/experiment.svg from the results of experiment.py; trains nothing."""
import json
import pathlib
import statistics

import plot
from experiment_cases import EPOCHS, PAIRS, RADIUS, SETTINGS, WORK
from metrics import processor, table

plt = plot.plt
DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs/measured"
HEAD = """\
# Space-to-depth against strides, at falling resolution

`make experiment` trains the networks and writes this page: each classification network of the paper, and its strided baseline,
on the same synthetic images of ten shapes at several sides (`shapes:SIDE:{radius}`), {seeds} seeds each (weights, order and
augmentation; a seed is the same for both networks). {settings}; accuracy is that of the validation set after the last epoch. {machine}.

The strided baselines, as the paper's authors wrote them, start at full resolution and halve it three times; their networks
with space-to-depth halve it four times. A baseline therefore computes more per image: at 32×32, 1.1 GFLOP against 0.5 (ResNet18)
and 2.6 against 0.9 (ResNet50; printed by `spdc compile MODEL --size 32x32`), on maps of twice the side. A few epochs on a few
thousand images show how fast each learns, not its final accuracy.

{minutes:.0f} minutes of wall time in total, on a shared machine. Differences are those of the means; *standard error* is that
of the difference of paired seeds.

![accuracy by resolution](experiment.svg)
"""


def accuracies(cases, model, side):
    found = [c for c in cases if c["model"] == model and c["side"] == side]
    return {c["seed"]: 100 * c["top1"] for c in sorted(found, key=lambda c: c["seed"])}


def spread(values):
    return statistics.stdev(values) if len(values) > 1 else 0


def rows(cases):
    for spd, strided, sides in PAIRS:
        for side in sides:
            ours, theirs = accuracies(cases, spd, side), accuracies(cases, strided, side)
            both = sorted(ours.keys() & theirs.keys())
            if not both:
                continue
            differences = [ours[s] - theirs[s] for s in both]
            error = spread(differences) / len(both) ** 0.5
            yield [spd, f"{side}×{side}", str(len(both)),
                   *(f"{statistics.mean(v.values()):.1f} ± {spread(list(v.values())):.1f}" for v in (ours, theirs)),
                   f"{statistics.mean(differences):+.1f}", f"{error:.1f}"]


def draw(cases):
    with plt.rc_context(plot.PARAMETERS):
        figure, axes = plt.subplots(1, len(PAIRS), figsize=(7, 2.8), sharey=True)
        for axis, (spd, strided, sides) in zip(axes, PAIRS):
            for model, colour in ((spd, plot.COLOURS["spdc"]), (strided, plot.COLOURS["torch"])):
                found = {side: list(accuracies(cases, model, side).values()) for side in sides}
                found = {side: values for side, values in found.items() if values}
                axis.plot(list(found), [statistics.mean(v) for v in found.values()], color=colour, label=model)
                for side, values in found.items():
                    axis.plot([side] * len(values), values, ".", color=colour, markersize=4)
            axis.set_xscale("log", base=2)
            axis.set_xticks(sides, [f"{s}×{s}" for s in sides])
            axis.minorticks_off()
            axis.invert_xaxis()
            axis.set_xlabel("image")
            axis.legend(frameon=False, loc="lower left")
        axes[0].set_ylabel("top-1, %")
        low, high = axes[0].get_ylim()
        axes[0].set_ylim(low - 0.3 * (high - low), high)  # room for the legends
        axes[0].set_title("Accuracy of each seed, and the mean", loc="left")
        plot.save(figure, DOCS / "experiment.svg")


def main():
    data = json.loads((WORK / "experiment.json").read_text())
    cases = list(data["cases"].values())
    text = HEAD.format(
        seeds=max(c["seed"] for c in cases), machine=processor(data["machine"]),
        radius=RADIUS,
        settings="All networks train alike: " + ", ".join(f"{k} {v}" for k, v in SETTINGS.items()) + "; "
        + ", ".join(f"{epochs} epochs at {side}×{side}" for side, epochs in EPOCHS.items()),
        minutes=sum(c["seconds"] for c in cases) / 60)
    text += "\n" + table(["network", "image", "seeds", "space-to-depth, %", "strided, %", "difference", "standard error"],
                         rows(cases)) + "\n"
    (DOCS / "experiment.md").write_text(text)
    draw(cases)


main()
