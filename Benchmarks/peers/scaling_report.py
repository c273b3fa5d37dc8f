"""Writes docs/measured/scaling.md and its plot; called by report.py."""
import metrics
import plot
from metrics import table

HEAD = """\
# Time per operation

`make bench-scaling` measures this, `Benchmarks/peers/report` writes it from the results in `build/peers/scaling.json`: how
the time of a run grows with the image and with the batch. {machine}; {threads}; float32.
GFLOP counts the operations of direct convolution. Method and contenders are those of [benchmarks.md](benchmarks.md).

![time per operation by image size and by batch](scaling.svg)
"""


def lines_of(data):
    """(title, what varies, points) in measuring order; a point may be on two lines."""
    lines = {}
    for raw in data["cases"].values():
        for line in raw["lines"]:
            lines.setdefault((line, raw["threads"]), []).append(metrics.CaseMetrics(raw))
    several = len({threads for _, threads in lines}) > 1
    for (line, threads), points in lines.items():
        title, _, kind = line.rpartition(" by ")
        yield title + (f", {threads} threads" if several else ""), kind, points


def row(case, peer="onnxruntime"):
    there = peer in case.names

    def cell(name):
        return f"{case.least(name):.2f}, {case.median(name):.2f}" if name in case.names else "–"
    return [case.model, case.input + (" †" if case.disturbed else ""), str(case.batch), str(case.threads),
            f"{case.gflop:.2f}", cell("spdc"), cell(peer), f"{case.per_gflop('spdc'):.2f}",
            f"{case.per_gflop(peer):.2f}" if there else "–", f"{1e3 * case.batch / case.median('spdc'):.1f}",
            f"{1e3 * case.batch / case.median(peer):.1f}" if there else "–",
            f"{case.raw['arena_bytes'] / 1e6:.1f}"]


def write(data, docs):
    header = ["network", "input", "batch", "threads", "GFLOP", "spdc ms (minimum, median)", "ONNX Runtime ms",
              "spdc ms/GFLOP", "ONNX Runtime ms/GFLOP", "spdc images/s", "ONNX Runtime images/s", "spdc arena MB"]
    lines = list(lines_of(data))
    threads = sorted({c.threads for _, _, points in lines for c in points})
    said = " and ".join(f"{t} thread" + "s" * (t > 1) for t in threads)
    parts = [HEAD.format(machine=metrics.processor(data["machine"]), threads=said)]
    for kind, title in (("size", "By image size"), ("batch", "By batch")):
        found = [c for _, k, points in lines if k == kind for c in points]
        if found:
            parts += [f"## {title}\n", table(header, [row(c) for c in found])]
    (docs / "scaling.md").write_text("\n".join(parts))
    plot.scaling(lines, data, docs / "scaling.svg")
    print(docs / "scaling.md")
