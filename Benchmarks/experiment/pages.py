"""Writes the page and the plot of an experiment from its results; trains nothing."""
import pathlib

import curve_plot
from metrics import processor, table
from statistics_of_seeds import Difference, Group, final_gain, late_gain

HERE = pathlib.Path(__file__).resolve().parent
SIZES = ("AP", "AP_S", "AP_M", "AP_L")
CURVE = "metrics/mAP_0.5:0.95"

SMALL_OBJECTS = """\
# Small objects: space-to-depth against strides

`make experiment` trains the networks and writes this page: YOLOv5-SPD-n, YOLOv5n, and a control, all from random weights on
{train} generated images of {side}×{side} with {val} for validation (`spdc dataset shapes --size {side}`; two thirds of the
objects are 8 to 30 pixels long), {seeds} seeds each (weights, order and augmentation). All train alike: {settings}. Results
are COCO's metrics of the weights' EMA after the last epoch, in percent (`spdc val --json`); *small* is below 32² pixels,
*medium* below 96². {machine}.

The control `yolov5n-strided` is YOLOv5-SPD-n with each convolution + space-to-depth replaced by a convolution with stride 2 of
four times the channels: same shapes and multiplications everywhere, and every other layer, the Focus stem too, is the same.
Replaced by a convolution of as many channels, YOLOv5-SPD-n is YOLOv5n: its Focus with a 3×3 convolution computes what the 6×6
convolution with stride 2 of YOLOv5n computes.
"""
LOW_RESOLUTION = """\
# Low resolution: space-to-depth against strides

`make experiment` trains the networks and writes this page: ResNet18-SPD, ResNet18 as in the paper's code, and a control, with
{width} channels in the first stage instead of 64, on Fashion-MNIST{limit} at 28×28 (padded to 32×32) and averaged to 14×14 (padded to
16×16; `--data idx:DIR:14`), {seeds} seeds each (weights, order and augmentation). All train alike: {settings}. Accuracy is
that of the test images after the last epoch, in percent. {machine}.

ResNet18 starts at full resolution and halves it three times; ResNet18-SPD starts with a Focus at half the resolution and halves
it three times more. ResNet18 therefore computes more per image, on maps of twice the side. The control
`resnet18-strided` keeps the Focus and replaces each convolution + space-to-depth by a convolution with stride 2 of four times
the channels: same shapes and multiplications everywhere, and every other layer is the same.
"""
ENDING = """
Values are means ± standard deviations of the seeds. *Late gain* is the mean of the last fifth of the epochs minus that of the
fifth before: what the falling learning rate still brought.{final} Differences are means of paired seeds, ± half of the 95 %
confidence interval (Student's t), and undecided where it includes 0. Time is that of inference at batch 1 with {threads} threads, the fastest of the rounds' medians (`spdc bench`).
{minutes:.0f} minutes of training in total, on a shared machine.

![learning curves]({name}.svg)
"""


def headline(measured):
    """What is printed after a run."""
    if "coco" in measured:
        return ", ".join(f"{key} {percent(measured['coco'][key]):.1f}" for key in SIZES if measured["coco"][key] >= 0)
    return f"top-1 {percent(measured['top1']):.1f} %"


def percent(fraction):
    return 100 * fraction


def group(cases, value):
    """The values of some cases; COCO's −1 means that there are no such objects."""
    found = {case["seed"]: value(case) for case in cases}
    return Group({seed: percent(value) for seed, value in found.items() if value >= 0})


def gain(cases, curve):
    gains = [late_gain(case["curves"][curve]) for case in cases]
    found = {number: percent(one) for number, one in enumerate(gains) if one is not None}
    return f"{Group(found).mean:+.1f}" if found else "–"


def last(cases, curve):
    """The gain from the last measurement but one, averaged over seeds, and how many epochs that is."""
    gains = [one for one in (final_gain(case["curves"][curve]) for case in cases) if one]
    mean = Group({number: percent(gain) for number, (gain, _) in enumerate(gains)}).mean if gains else 0
    return (f"{mean:+.1f}", gains[0][1]) if gains else ("–", 0)


def cost(data, network, side):
    """Columns of time and operations; the timing follows the last training."""
    found = data.get("costs", {}).get(f"{network} {side}")
    return [f"{found['ms']:.2f}", f"{found['gflop']:.3g}"] if found else ["–", "–"]


def sentence(settings):
    return ", ".join(f"{key} {value}" for key, value in settings.items())


def versus(cases, metrics):
    """Rows of paired differences of ours to each other network."""
    ours = [case for case in cases if case["role"] == "spd"]
    for network in dict.fromkeys(case["network"] for case in cases if case["role"] != "spd"):
        theirs = [case for case in cases if case["network"] == network]
        yield [f"{ours[0]['network']} − {network}" if ours else network,
               *(Difference(group(ours, value), group(theirs, value)).text() for value in metrics)]


def small_objects(data, cases):
    networks = list(dict.fromkeys(case["network"] for case in cases))
    metrics = [lambda case, key=key: case["coco"][key] for key in SIZES]
    rows = []
    for network in networks:
        own = [case for case in cases if case["network"] == network]
        rows.append([network, str(len(own)), *(group(own, value).text() for value in metrics),
                     gain(own, CURVE), last(own, CURVE)[0], *cost(data, network, own[0]["side"]), f"{own[0]['parameters']:,}"])
    text = SMALL_OBJECTS.format(**data["images"], **about(data, cases))
    text += "\n" + table(["network", "seeds", "AP", "AP small", "AP medium", "AP large", "late gain", "final gain",
                          "ms/image", "GFLOP", "parameters"], rows)
    text += "\n" + table(["difference", "AP", "AP small", "AP medium", "AP large"], versus(cases, metrics))
    panels = [("mAP, IoU 0.5 to 0.95", "%", cases, CURVE, 100),
              ("box loss in training", "", cases, "train/box_loss", 1)]
    return text, panels


def low_resolution(data, cases):
    text = LOW_RESOLUTION.format(
        width=data["width"], limit=f" ({data['settings']['limit']} images)" if "limit" in data["settings"] else "",
        **about(data, cases))
    top1 = [lambda case: case["top1"]]
    rows, differences, panels = [], [], []
    for pixels in sorted({case["pixels"] for case in cases}, reverse=True):
        here = [case for case in cases if case["pixels"] == pixels]
        label = f"{pixels}×{pixels}"
        for network in dict.fromkeys(case["network"] for case in here):
            own = [case for case in here if case["network"] == network]
            rows.append([label, network, str(len(own)), group(own, top1[0]).text(), gain(own, "val/top1"),
                         *cost(data, network, own[0]["side"]), f"{own[0]['parameters']:,}"])
        differences += [[label, *row] for row in versus(here, top1)]
        panels.append((f"{label}: top-1 of the test images", "%", here, "val/top1", 100))
    text += "\n" + table(["image", "network", "seeds", "top-1", "late gain", "ms/image", "GFLOP", "parameters"], rows)
    return text + "\n" + table(["image", "difference", "top-1"], differences), panels


def about(data, cases):
    threads = {one["threads"] for one in data.get("costs", {}).values()}
    return {"seeds": max(case["seed"] for case in cases), "settings": sentence(data["settings"]),
            "machine": processor(data["machine"]), "side": cases[0]["side"],
            "threads": ", ".join(map(str, sorted(threads))) or "–"}


def write(study, data):
    """Writes NAME.md and NAME.svg; with `discussion/NAME.md`, written by hand, between the tables and the explanation."""
    cases = list(data.get("cases", {}).values())
    if not cases:
        return []
    text, panels = {"small-objects": small_objects, "low-resolution": low_resolution}[study.name](data, cases)
    discussion = HERE / "discussion" / f"{study.name}.md"
    if discussion.exists() and not study.options.quick:
        text += "\n" + discussion.read_text()
    final = " *Final gain* is that of the last {} epochs.".format(last(cases, CURVE)[1]) if CURVE in study.curves else ""
    text += ENDING.format(name=study.name, final=final, minutes=sum(case["seconds"] for case in cases) / 60,
                          threads=about(data, cases)["threads"])
    study.pages.mkdir(parents=True, exist_ok=True)
    page, drawn = study.pages / f"{study.name}.md", study.pages / f"{study.name}.svg"
    page.write_text(text)
    curve_plot.figure(drawn, panels)
    return [page, drawn]
