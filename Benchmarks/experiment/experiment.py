"""Trains the networks of an experiment, one after the other, and measures them. Benchmarks/experiment/run sets up what
this needs."""
import argparse
import csv
import json
import os
import pathlib
import shutil
import signal
import sys
import time

import low_resolution
import machine
import ours
import pages
from low_resolution import LowResolution
from results import Results
from small_objects import SmallObjects

STUDIES = {study.name: study for study in (LowResolution, SmallObjects)}


def train(spdc, study, run):
    """What `spdc train --json` says at the end; an interrupted run resumes from its last checkpoint."""
    common = [spdc.program, "train", run.model, "--data", run.data, "--size", run.size, "--json"]
    if run.last.exists():
        return json.loads(ours.call([*common, "--resume", run.folder]))
    shutil.rmtree(run.folder, ignore_errors=True)  # ended before its first checkpoint
    settings = [word for key, value in study.settings.items() if key != "preset" for word in ("--set", f"{key}={value}")]
    return json.loads(ours.call([*common, "--preset", study.settings["preset"], *settings, "--seed", run.seed,
                                 "--out", run.folder]))


def curves(study, run):
    """Columns of results.csv as [epoch, value], without the epochs in which they were not measured."""
    with open(run.folder / "results.csv") as file:
        rows = list(csv.DictReader(file))
    return {name: [[int(row["epoch"]), float(row[name])] for row in rows if row[name]] for name in study.curves}


def train_all(spdc, study, results):
    todo = [run for run in study.runs() if study.options.only in run.title]
    begin = time.monotonic()
    for number, run in enumerate(todo):
        if results.case(run.title):
            continue
        print(f"[{number + 1} of {len(todo)}] {study.name}: {run.title}", end="", file=sys.stderr, flush=True)
        found = train(spdc, study, run)
        measured = study.measure(spdc, run)
        results.put(run.title, {"network": run.network.title, "role": run.network.role, "seed": run.seed, "side": run.side,
                                "classes": found["classes"], **measured, "curves": curves(study, run),
                                **{key: found[key] for key in ("parameters", "images_per_second", "seconds")}})
        print(f": {pages.headline(measured)}; {time.monotonic() - begin:.0f} s in all", file=sys.stderr, flush=True)


def time_all(spdc, study, results):
    """Times inference of single images and counts operations, network by network in interleaved rounds."""
    seconds, rounds = (0.5, 1) if study.options.quick else (5, 3)
    wanted = {}
    for run in study.runs():
        case = results.case(run.title)
        if case:
            wanted.setdefault(f"{run.network.title} {run.side}", (run, case["classes"]))
    if not wanted or wanted.keys() == results.data.get("costs", {}).keys():
        return
    print(f"{study.name}: timing", file=sys.stderr, flush=True)
    found = {key: [] for key in wanted}
    for _ in range(rounds):
        for key, (run, classes) in wanted.items():
            shape = [run.model, "--size", run.size, "--classes", classes]
            found[key].append(json.loads(ours.call([spdc.program, "bench", *shape, "--seconds", seconds, "--json"])))
    results.data["costs"] = {
        key: {"ms": min(one["median_ms"] for one in measured), "gflop": measured[0]["gflop"],
              "threads": measured[0]["threads"]} for key, measured in found.items()}
    results.save()


def arguments():
    p = argparse.ArgumentParser(prog="Benchmarks/experiment/run", description=__doc__.splitlines()[0])
    p.add_argument("spdc", metavar="SPDC", help="path of the command, such as .build/release/spdc")
    p.add_argument("study", nargs="?", choices=list(STUDIES), help="only this experiment (default: both)")
    p.add_argument("--seeds", type=int, metavar="N", help="runs of each network (default 3)")
    p.add_argument("--epochs", type=int, metavar="N", help="epochs of each run (default: those of the pages)")
    p.add_argument("--width", type=int, metavar="N", help="channels of the ResNets' first stage (default 8)")
    p.add_argument("--fashion-mnist", type=pathlib.Path, default=low_resolution.DEBIAN, metavar="DIR",
                   help="folder of Fashion-MNIST's IDX files (default: that of Debian's package)")
    p.add_argument("--only", metavar="TEXT", default="", help="only runs whose title contains TEXT")
    p.add_argument("--quick", action="store_true",
                   help="tiny runs of two minutes, once compiled, in build/experiment-quick, pages included, to try the scripts")
    p.add_argument("--report", action="store_true", help="train nothing: write the pages of the results so far")
    p.add_argument("--fresh", action="store_true", help="delete the runs and results, and start again")
    return p.parse_args()


def main():
    # As with Ctrl-C, the training that runs must end with this process.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    options = arguments()
    if options.quick:
        os.environ.setdefault("SPDC_CFLAGS", "-O1")  # half of the two minutes would be compilation
    spdc = ours.Spdc(options.spdc)
    for study in (kind(options) for name, kind in STUDIES.items() if options.study in (None, name)):
        if options.fresh:
            shutil.rmtree(study.work, ignore_errors=True)
        results = Results(study.results)
        if not options.report:
            results.about(machine=machine.describe(), spdc=spdc.version, **study.facts)
            try:
                study.prepare(spdc)
                train_all(spdc, study, results)
                time_all(spdc, study, results)
            except ours.Failure as failure:
                raise SystemExit(f"\n{failure}\nThe same command resumes.")
        for page in pages.write(study, results.data):
            print(page, file=sys.stderr)


main()
