"""Measures how the time of spdc's C grows with the image and with the batch, interleaved with ONNX Runtime."""
import argparse
import sys

import bench
import machine
import prepare
from cases import Case
from peers import Peer

SIZES = {"yolov5-spd-n": [320, 448, 640, 896, 1280], "yolov5-spd-s": [320, 448, 640, 896, 1280]}
BATCHES = {("yolov5-spd-n", 320): [1, 2, 4, 8, 16], ("resnet18-spd", 64): [1, 2, 4, 8, 16],
           ("resnet50-spd", 32): [1, 2, 4, 8, 16]}
PEER = "onnxruntime"


def plan(quick):
    """The lines of a plot: what varies, and the points."""
    lines = {}
    for model, sizes in SIZES.items():
        lines[f"{model} by size"] = [Case(model, s) for s in sizes]
    for (model, size), batches in BATCHES.items():
        lines[f"{model} {size}x{size} by batch"] = [Case(model, size, b) for b in batches]
    if quick:
        lines = {key: points[:2] for key, points in lines.items() if "yolov5-spd-s" not in key}
    return lines


def quiet(_):
    """Measures a point, with one line of output."""


def point(line, case, threads, spdc, options, results):
    key = f"{case.title} threads {threads}"
    known = results.case(key)
    if known and not options.again:
        if line not in known["lines"]:
            known["lines"].append(line)
            results.put(key, known)
        bench.say(f"{case.title}: already in the file")
        return
    prepare.prepare(case, spdc, max(options.threads), (PEER,), quiet)
    running, found = prepare.start(case, threads, spdc, [PEER], 1, quiet)
    try:
        facts = spdc.bench(case, threads, 0.1)
        rounds = bench.measure(case, threads, spdc, [bench.OURS], running, options.rounds, options.seconds)
    finally:
        for peer in running.values():
            peer.end()
    results.put(key, {"lines": [line], "model": case.model, "size": case.size, "batch": case.batch, "threads": threads,
                      "gflop": facts["gflop"], "arena_bytes": facts["variants"][0]["arena_bytes"], "chosen": case.chosen,
                      "contenders": found, "rounds": rounds, "seconds": options.seconds})


def parse():
    p = argparse.ArgumentParser(prog="Benchmarks/peers/scaling", description=__doc__)
    p.add_argument("spdc", metavar="SPDC", help="path of the command, such as .build/release/spdc")
    p.add_argument("--threads", type=bench.numbers, metavar="1,2", help="thread counts to measure; default: the number of processors")
    p.add_argument("--rounds", type=int, metavar="N", help="number of undisturbed rounds (default 5)")
    p.add_argument("--seconds", type=float, metavar="S", help="seconds per contender and round (default 1)")
    p.add_argument("--quick", action="store_true", help="smoke test: two points of some lines, one round")
    p.add_argument("--again", action="store_true", help="measure again what is already in the file")
    p.add_argument("--fresh", action="store_true", help="start a new result file")
    p.add_argument("--json", metavar="FILE", help="result file; default build/peers/scaling.json, with --quick scaling-quick.json")
    o = p.parse_args()
    bench.defaults(p, o, (("rounds", 5, 1), ("seconds", 1.0, 0.2)))
    cpus = machine.describe()["cpus"]
    o.threads = o.threads or [cpus]
    if max(o.threads) > cpus:
        p.error(f"--threads {max(o.threads)}: this machine has {cpus} processors")
    return o


def main():
    options = parse()
    with bench.recording(options, "scaling") as (spdc, results):
        todo = [(line, case, t) for t in options.threads for line, points in plan(options.quick).items() for case in points]
        for number, (line, case, threads) in enumerate(todo):
            print(f"[{number + 1} of {len(todo)}] {line}: {case.title}, {threads} threads", file=sys.stderr, flush=True)
            point(line, case, threads, spdc, options, results)


if __name__ == "__main__":
    main()
