"""Writes docs/measured/benchmarks.md, docs/measured/scaling.md and their plots from the results of a run; measures nothing."""
import argparse
import json
import pathlib
import sys

import metrics
import plot
import scaling_report
from cases import ROOT, WORK
from metrics import table

MEGA = 1e6


def label(case):
    return f"{case.model} {case.input}" + (" †" if case.disturbed else "")


def pair(case, name):
    """Minimum, median; bold for the best of float32."""
    if name not in case.names:
        return "fails" if name in case.failed else "–"
    text = f"{case.least(name):.2f}, {case.median(name):.2f}"
    others = [n for n in case.names if n != metrics.RECORD_ONLY]
    return f"**{text}**" if name == min(others, key=case.median) else text


def times(found):
    names = [n for n in metrics.ORDER if any(n in c.names or n in c.failed for c in found)]
    rows = [[label(c), str(c.threads), *(pair(c, n) for n in names), c.best_peer or "–",
             f"{c.ratio_of_least:.2f}, {c.ratio:.2f}" if c.best_peer else "–", f"{100 * c.peak_share:.0f} %"] for c in found]
    return table(["network", "threads", *names, "best peer", "best peer / spdc", "spdc of FMA peak"], rows)


def batches(found):
    names = [n for n in metrics.ORDER if any(n in c.names for c in found)]

    def rate(c, n):
        return f"{c.batch / c.median(n) * 1e3:.1f}" if n in c.names else "–"
    rows = [[label(c), str(c.batch), str(c.threads), *(rate(c, n) for n in names),
             metrics.times_faster(c.ratio) if c.best_peer else "–"] for c in found]
    return table(["network", "batch", "threads", *names, "spdc against the best peer"], rows)


def loading(found):
    threads = max(c.threads for c in found)
    rows = []
    for case in (c for c in found if c.threads == threads):
        for name in ["spdc", "spdc-packed", *metrics.ORDER[1:]]:
            if facts := case.load(name):
                seconds, peak, resident, files = facts
                rows.append([label(case), name, f"{1e3 * seconds:.0f}", f"{peak / MEGA:.0f}", f"{resident / MEGA:.0f}",
                             f"{files / MEGA:.1f}"])
    return table(["network", "contender", "load ms", "peak memory MB", "memory afterwards MB", "files MB"], rows)


def checks(found):
    rows = []
    for case in found:
        chosen = case.raw["chosen"]
        text = "; ".join(f"{n}: {c['check']}" + ("" if c["ok"] else " **fails**")
                         for n, c in case.raw["contenders"].items() if c["check"]).replace("|", "\\|")
        forms = "; ".join(f"{n}: {c['form']} (" + ", ".join(f"{f} {t:.2f}" for f, t in c["min_ms"].items()) + ")"
                          for n, c in chosen.items())
        rounds = f"{len(case.raw['rounds'])}, {case.dropped} dropped" if case.dropped else str(len(case.raw["rounds"]))
        rows.append([label(case), str(case.batch), str(case.threads), rounds, forms, text])
    return table(["network", "batch", "threads", "rounds", "chosen (minimum ms in the trial)", "difference from spdc's result"], rows)


METHOD = """\
## Method

- Every contender has the network with the same synthetic weights and the same input, batch {batches}; every contender decodes
  a detector's boxes. Before anything is timed its result is compared with spdc's: |Δ| ≤ {absolute:g} + {relative:g}·|y|, for
  bfloat16 ‖Δ‖ ≤ {bf16_norm:g}·‖y‖. A contender beyond that limit is listed as failing and not timed.
- Contenders are measured in interleaved rounds. In each round every contender has a turn: some untimed runs, then runs for
  {seconds:g} s, at least three; the order rotates from round to round. Peers are processes that were loaded before, and are
  stopped (SIGSTOP) while others are measured, so that no idle thread spins; spdc's turn is `spdc bench`, which also measures
  the machine's FMA peak.
- A round in which this peak was below {quiet:.0%} of that of the best round, or in which other programs used more than
  {foreign:.0%} of a processor during a turn, is dropped and repeated. † marks cases without an undisturbed round, where all are
  used. {dropped} of {all_rounds} rounds were dropped.
- Times are *minimum, median* in milliseconds: the minimum of all rounds, and the median of the rounds' medians. No thread is
  pinned. *FMA peak* counts the operations of direct convolution, also where another algorithm ran. All contenders use the
  stated number of threads. openvino-bf16 computes in bfloat16 and is listed for the record; it is never the "best peer".
- spdc's ONNX file has space-to-depth as reshape and transposition, PyTorch's exporter writes strided slices, and with
  permuted weights it is ONNX's own operator. ONNX Runtime and OpenVINO each get the form that a short trial found fastest.
- *load* is the time from the files to the first result, with libraries already loaded and files in the page cache: the minimum
  of several processes; *peak memory* is the process's high-water mark above its size before loading. Mapped files count. `spdc`
  maps the parameter file and packs the weights; `spdc-packed` maps weights packed beforehand; `spdc-low-memory` is compiled with
  `--low-memory` and packs. torch.compile compiles while it loads (its C++ is cached, its graph cannot be). *files* is what the
  network needs, without the library.
"""


def about(data):
    versions = data["versions"]
    measured = {name for case in data["cases"].values() for name in case["contenders"]}
    lines = [f"- **{name}**: {text}." for name, text in data["settings"].items() if name in measured]
    installed = ", ".join(f"{p} {v['version']}" + (f" ({v['installed_bytes'] / MEGA:.0f} MB installed)"
                          if "installed_bytes" in v else "") for p, v in sorted(versions.items()))
    machine = data["machine"]
    return ("## Contenders\n\n- **spdc**: `spdc bench`, float32, target native, compiled by "
            f"{machine['clang']}.\n" + "\n".join(lines) + "\n\n"
            f"Machine: {metrics.processor(machine)}, {machine['memory_bytes'] / 2**30:.0f} GiB, Linux {machine['kernel']}. "
            f"{machine['clang']}; {machine['gcc']}.\nVersions: {installed}.\n")


def text(data):
    found = metrics.read(data)
    single = [c for c in found if c.batch == 1]
    many = [c for c in found if c.batch > 1]
    seconds = sorted({c.raw["seconds"] for c in found})
    parts = ["# Inference compared with other libraries\n",
             "`make bench-peers` measures this, `Benchmarks/peers/report` writes it from the results in "
             "`build/peers/bench.json`.\n"
             f"{metrics.processor(data['machine'])}; float32.\n",
             "![time of one image in spdc and its peers](benchmarks.svg)\n"]
    if single:
        parts += ["## One image\n", "Milliseconds, *minimum, median*. Ratios are those of the minimums, then of the medians.\n", times(single)]
    if many:
        parts += ["## Batches\n", "Images per second, medians.\n", batches(many)]
    if single:
        parts += ["## Loading\n", loading(single)]
    parts += [METHOD.format(**data["limits"], seconds=max(seconds), all_rounds=sum(len(c.raw["rounds"]) for c in found),
                            dropped=sum(c.dropped for c in found),
                            batches=" or ".join(str(b) for b in sorted({c.batch for c in found}))),
              about(data), "## Checks\n", checks(found)]
    return "\n".join(parts)


def write_benchmarks(data, docs):
    (docs / "benchmarks.md").write_text(text(data))
    plot.benchmarks(data, docs / "benchmarks.svg")
    print(docs / "benchmarks.md")


def main():
    p = argparse.ArgumentParser(prog="Benchmarks/peers/report", description=__doc__)
    p.add_argument("--json", default=WORK / "bench.json", type=pathlib.Path, metavar="FILE")
    p.add_argument("--scaling", default=WORK / "scaling.json", type=pathlib.Path, metavar="FILE")
    p.add_argument("--docs", default=ROOT / "docs/measured", type=pathlib.Path, metavar="DIR")
    o = p.parse_args()
    written = 0
    for path, write in ((o.json, write_benchmarks), (o.scaling, scaling_report.write)):
        try:
            data = json.loads(path.read_text())
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as e:
            sys.exit(f"error: {path}: {e}")
        if data.get("cases"):
            o.docs.mkdir(parents=True, exist_ok=True)
            write(data, o.docs)
            written += 1
    if not written:
        sys.exit(f"error: no results in {o.json} nor in {o.scaling}; make bench-peers and make bench-scaling write them")


if __name__ == "__main__":
    main()
