"""Draws learning curves: a thin line for each seed, a thick one for their mean."""
import statistics

import plot

COLOURS = {"spd": plot.COLOURS["spdc"], "strided": plot.COLOURS["torch"], "control": plot.COLOURS["openvino"]}


def panel(axis, cases, curve, scale=100):
    """Plots one curve of all cases, with one colour for each role."""
    for network in dict.fromkeys(case["network"] for case in cases):
        chosen = [case for case in cases if case["network"] == network]
        colour = COLOURS[chosen[0]["role"]]
        by_epoch = {}
        for case in chosen:
            points = case["curves"][curve]
            axis.plot([x for x, _ in points], [scale * y for _, y in points], color=colour, alpha=0.3, linewidth=0.6)
            for epoch, value in points:
                by_epoch.setdefault(epoch, []).append(scale * value)
        whole = {epoch: values for epoch, values in by_epoch.items() if len(values) == len(chosen)}
        axis.plot(list(whole), [statistics.mean(values) for values in whole.values()], color=colour, linewidth=1.5,
                  label=network)
    axis.set_xlabel("epoch")


def figure(path, panels):
    """Writes an SVG file of one row; `panels` is [(title, y label, cases, curve, scale)]."""
    with plot.plt.rc_context(plot.PARAMETERS):
        drawn, axes = plot.plt.subplots(1, len(panels), figsize=(3.6 * len(panels), 2.9), squeeze=False,
                                        layout="constrained")
        for axis, (title, label, cases, curve, scale) in zip(axes[0], panels):
            panel(axis, cases, curve, scale)
            axis.set_title(title, loc="left")
            axis.set_ylabel(label)
        axes[0][0].legend(frameon=False, loc="lower right")
        plot.save(drawn, path)
