"""Draws the plots, as small SVG files that are the same for the same results."""
import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402

import metrics  # noqa: E402

PARAMETERS = {"svg.fonttype": "none", "svg.hashsalt": "spdc", "font.family": "sans-serif", "font.size": 8,
              "axes.spines.top": False, "axes.spines.right": False, "figure.facecolor": "white"}
COLOURS = {"spdc": "#0b6e4f", "spdc-low-memory": "#7fb8a4", "openvino": "#4c78a8", "onnxruntime": "#f58518", "ncnn": "#b279a2",
           "torch-compile": "#e45756", "torch-channels-last": "#ff9da6", "torch": "#9d755d", "openvino-bf16": "#bac6d6"}


def save(figure, path):
    figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None}, bbox_inches="tight")
    plt.close(figure)


def caption(data):
    versions = data["versions"]
    named = ", ".join(f"{p} {versions[p]['version']}" for p in ("openvino", "onnxruntime", "ncnn", "torch") if p in versions)
    return f"{metrics.processor(data['machine'])} · spdc {data['spdc']}, {named} · float32"


def ratios(axis, found, threads):
    """Plots how many times faster than the best peer, grouped by network."""
    labels = list(dict.fromkeys((c.model, c.input) for c in found))
    width = 0.8 / len(threads)
    for k, count in enumerate(threads):
        chosen = {(c.model, c.input): c for c in found if c.threads == count}
        at = [i for i, label in enumerate(labels) if label in chosen]
        values = [chosen[labels[i]].ratio for i in at]
        place = [i + (k - (len(threads) - 1) / 2) * width for i in at]
        axis.bar(place, values, width * 0.92, color=COLOURS["spdc"], alpha=1 - 0.4 * k,
                 label=f"{count} thread" + "s" * (count > 1))
        for x, value, i in zip(place, values, at):
            axis.text(x, value, f"{value:.2f}\n{chosen[labels[i]].best_peer}", ha="center", va="bottom", fontsize=6)
    axis.axhline(1, color="black", linewidth=0.8)
    axis.set_xticks(range(len(labels)), [f"{model}\n{size}" for model, size in labels])
    axis.set_ylabel("time of best peer / time of spdc")
    axis.set_ylim(0, 1.4 * max(c.ratio for c in found))
    axis.set_title("How many times faster than the best peer in float32 (named above the bar), medians")
    axis.legend(frameon=False, loc="upper right", ncols=len(threads))


def bars(axis, case):
    """Plots one case: median as a bar, minimum time as a tick in it."""
    names = case.names[::-1]
    medians = [case.median(n) for n in names]
    axis.barh(names, medians, color=[COLOURS[n] for n in names], height=0.75)
    for i, name in enumerate(names):
        axis.plot([case.least(name)] * 2, [i - 0.37, i + 0.37], color="black", linewidth=0.8)
        axis.text(medians[i], i, f" {medians[i]:.3g}", va="center", fontsize=6)
    axis.set_xlim(0, 1.15 * max(medians))
    axis.set_title(f"{case.model} {case.input}, {case.threads} thread" + "s" * (case.threads > 1)
                   + (" †" if case.disturbed else ""), fontsize=8)
    axis.tick_params(axis="y", labelsize=6, length=0)
    axis.set_xlabel("ms", labelpad=0)


def benchmarks(data, path):
    found = [c for c in metrics.read(data) if c.batch == 1 and c.best_peer]
    if not found:
        return False
    threads = sorted({c.threads for c in found})
    columns = 4
    rows = -(-len(found) // columns)
    with plt.rc_context(PARAMETERS):
        figure = plt.figure(figsize=(13, 3.2 + 1.75 * rows), layout="constrained")
        grid = figure.add_gridspec(rows + 1, columns, height_ratios=[1.7] + [1] * rows)
        ratios(figure.add_subplot(grid[0, :]), found, threads)
        for i, case in enumerate(sorted(found, key=lambda c: c.threads)):
            bars(figure.add_subplot(grid[1 + i // columns, i % columns]), case)
        figure.suptitle("Time of one image, batch 1: bars are medians, black ticks minimums\n" + caption(data), fontsize=9)
        save(figure, path)
    return True


def scaling(lines, data, path):
    """Plots lines of (title, what varies, CaseMetrics of the points); one panel for each thing that varies."""
    kinds = list(dict.fromkeys(kind for _, kind, _ in lines))
    with plt.rc_context(PARAMETERS):
        figure, axes = plt.subplots(1, len(kinds), figsize=(5.5 * len(kinds), 3.8), squeeze=False, layout="constrained")
        for axis, kind in zip(axes[0], kinds):
            values = sorted({getattr(c, kind) for _, k, points in lines if k == kind for c in points})
            chosen = [(title, points) for title, k, points in lines if k == kind]
            for number, (title, points) in enumerate(chosen):
                points = sorted(points, key=lambda c: getattr(c, kind))
                for name, style in (("spdc", "o-"), ("onnxruntime", "s--")):
                    there = [c for c in points if name in c.names]
                    axis.plot([values.index(getattr(c, kind)) for c in there], [c.per_gflop(name) for c in there], style,
                              color=f"C{number}", markersize=3.5, label=f"{title}, {name}")
            axis.set_xticks(range(len(values)), [str(v) for v in values])
            axis.set_xlabel({"size": "side of the image, pixels", "batch": "images per run (batch)"}[kind])
            axis.set_ylabel("ms per GFLOP, median")
            axis.set_ylim(bottom=0)
            axis.legend(frameon=False, fontsize=6, loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=len(chosen))
        figure.suptitle("Time per operation; flat is ideal\n" + caption(data), fontsize=8)
        save(figure, path)
