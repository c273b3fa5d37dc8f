"""Trains every network of experiment_cases, one after the other. Benchmarks/experiment/run sets up what this needs."""
import argparse
import json
import subprocess
import sys
import time

import machine
from experiment_cases import EPOCHS, SETTINGS, WORK, runs
from ours import Spdc
from results import Results


def train(spdc, run):
    """What `spdc train --json` says at the end; an interrupted run resumes from its last checkpoint."""
    if (run.folder / "checkpoints" / "last.safetensors").exists():
        command = [spdc.program, "train", run.model, "--data", run.data, "--resume", run.folder, "--json"]
    else:
        all_settings = {**SETTINGS, "epochs": EPOCHS[run.side]}
        settings = [option for key, value in all_settings.items() for option in ("--set", f"{key}={value}")]
        command = [spdc.program, "train", run.model, "--data", run.data, "--seed", run.seed, *settings,
                   "--out", run.folder, "--json"]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{run.title}: {' '.join(map(str, command))} ended with {done.returncode}:\n{done.stderr}")
    return json.loads(done.stdout)


def main():
    p = argparse.ArgumentParser(prog="Benchmarks/experiment/run", description=__doc__.splitlines()[0])
    p.add_argument("spdc", metavar="SPDC", help="path of the command, such as .build/release/spdc")
    p.add_argument("--seeds", type=int, default=3, metavar="N", help="runs of each network and size (default 3)")
    p.add_argument("--only", metavar="TEXT", default="", help="only runs whose title contains TEXT")
    p.add_argument("--fresh", action="store_true", help="start a new result file")
    options = p.parse_args()
    path = WORK / "experiment.json"
    if options.fresh:
        path.unlink(missing_ok=True)
    spdc = Spdc(options.spdc)
    results = Results(path)
    results.about(machine=machine.describe(), spdc=spdc.version, settings={**SETTINGS, "epochs": EPOCHS})
    todo = [run for run in runs(options.seeds) if options.only in run.title]
    begin = time.monotonic()
    for number, run in enumerate(todo):
        if results.case(run.title):
            continue
        print(f"[{number + 1} of {len(todo)}] {run.title}", end="", file=sys.stderr, flush=True)
        found = train(spdc, run)
        kept = {key: found[key] for key in ("top1", "top5", "loss", "parameters", "images_per_second", "seconds")}
        results.put(run.title, {"model": run.model, "side": run.side, "seed": run.seed, **kept})
        print(f": {100 * found['top1']:.1f} %, {found['seconds']:.0f} s; {time.monotonic() - begin:.0f} s in all",
              file=sys.stderr, flush=True)


main()
