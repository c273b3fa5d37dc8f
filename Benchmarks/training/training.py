"""Measures training steps of spdc's C and of PyTorch, interleaved. Benchmarks/training/run sets up what this needs."""
import argparse
import functools
import pathlib
import statistics
import subprocess
import sys
import time

import numpy as np

import cases
import machine
import scaling
from bench import interruptible, numbers, say
from contender import FOREIGN, HERE, Contender, end, measure
from ours import Failure, Spdc, call
from results import Results
from trainers import REFERENCE, TRAINERS, Module
from training_cases import BATCHES, CASES

# Relative limits of the first step's difference from eager PyTorch in float64; if larger, twice the difference of
# PyTorch's
# float32: deep networks on small maps amplify rounding.
LOSS, GRADIENT, AMPLIFIED = 2e-4, 1e-3, 2
FLOOR = 1e-4    # gradient norms below this share of the largest are raised to it


def prepare(case, spdc):
    """Builds the module and step.c, unless they are newer than the compiler, and the parameters in its order."""
    folder, prefix = case.folder / "spdc", case.prefix
    library = folder / f"lib{prefix}.so"
    if not library.exists() or library.stat().st_mtime < pathlib.Path(spdc.program).stat().st_mtime:
        folder.mkdir(parents=True, exist_ok=True)
        say(f"compiling {case.title}")
        call([spdc.program, "compile", case.model, "--train", "--update-in-backward", "--size", f"{case.size}x{case.size}",
              "--batch", case.batch, "--emit", "module", "-o", folder])
    call(["cc", "-O2", "-shared", "-fPIC", f"-DPREFIX={prefix}", f"-DUPPER={prefix.upper()}", f"-I{folder}/include",
          HERE / "step.c", f"-L{folder}", f"-l{prefix}", f"-Wl,-rpath,{folder}", "-o", folder / "libstep.so"])
    write_values(case)


def write_values(case):
    import networks
    import synthetic
    state = synthetic.fill(networks.build(case.model)).state_dict()
    module = Module(case)
    values = np.zeros(module.library.bench_state_count(), np.float32)
    for name, place, _ in module.parameters():
        values[place] = state[name].numpy().ravel()
    np.save(case.values, values)


def differences(found, expected):
    """The maximum relative differences of loss and gradient norms."""
    floor = FLOOR * max(expected["gradients"].values())
    if found["gradients"].keys() != expected["gradients"].keys():
        raise Failure(f"other parameters: {sorted(found['gradients'].keys() ^ expected['gradients'].keys())[:4]}")
    gradient = max(abs(found["gradients"][n] - e) / max(e, floor) for n, e in expected["gradients"].items())
    return abs(found["loss"] - expected["loss"]) / max(abs(expected["loss"]), 0.1), gradient


def exact(case, threads):
    """Computes the first step in double precision."""
    contender = Contender(REFERENCE, case, threads)
    contender.end()
    return contender.first


def start(case, threads, names):
    """Starts the contenders and checks that their first steps are within the limits."""
    running, found = {}, {}
    compared = any(name != "spdc" for name in names)
    reference = exact(case, threads) if compared else None
    try:
        for name in names:
            begin = time.monotonic()
            running[name] = Contender(name, case, threads)
            say(f"{name}: loss {running[name].first['loss']:.6f}, {time.monotonic() - begin:.0f} s to the first step")
        apart = {n: differences(c.first, reference) for n, c in running.items()} if compared else {}
        own = max((gradient for name, (_, gradient) in apart.items() if name != "spdc"), default=0)
        limit = max(GRADIENT, AMPLIFIED * own)
        for name, contender in running.items():
            found[name] = {"loss": contender.first["loss"]}
            if name in apart:
                loss, gradient = apart[name]
                found[name].update(loss_difference=loss, gradient_difference=gradient, gradient_limit=limit)
                if not (loss <= LOSS and gradient <= limit):
                    raise Failure(f"{case.title}: the first step of {name} differs from PyTorch's in float64: loss by "
                                  f"{loss:.1e} (limit {LOSS}), gradient norms by {gradient:.1e} (limit {limit:.1e}); "
                                  "nothing was timed")
            found[name].update(contender.ask({"memory": True}))
    except BaseException:
        end(running)
        raise
    return running, found


def one_case(key, case, threads, names, options, results):
    running, found = start(case, threads, names)
    try:
        if options.prepare:
            return
        rounds = measure(running, options)
    finally:
        end(running)
    results.put(key, {"model": case.model, "size": case.size, "batch": case.batch, "threads": threads,
                      "contenders": found, "rounds": rounds})
    for name in names:
        times = [t for r in rounds for t in r["figures"][name]["times_ms"]]
        say(f"{name:20} {min(times):9.1f} ms min {statistics.median(times):9.1f} ms median {len(times):4} steps "
            f"{found[name]['peak_bytes'] / 1e6:7.0f} MB")


def jobs(options):
    """Yields a key for the file, the case, and the function that measures it."""
    most, *fewer = sorted(options.threads, reverse=True)
    turns = [(most, options.contenders, CASES), (most, ["spdc"], BATCHES)]
    turns += [(threads, options.contenders, CASES) for threads in fewer]
    for threads, names, chosen in turns:
        for case in chosen:
            yield (f"{case.title} threads {threads} of {', '.join(names)}", case,
                   functools.partial(one_case, threads=threads, names=names))
    for case in CASES if fewer else []:
        yield (f"{case.title} threads {most} beside {fewer[-1]}", case,
               functools.partial(scaling.one_case, few=fewer[-1], many=most))


def parse():
    p = argparse.ArgumentParser(prog="Benchmarks/training/run", description=__doc__.splitlines()[0])
    p.add_argument("spdc", metavar="SPDC", help="path of the command, such as .build/release/spdc")
    p.add_argument("--threads", type=numbers, default=[1, 2], metavar="1,2")
    p.add_argument("--contenders", type=lambda text: text.split(","), default=list(TRAINERS), metavar="A,B",
                   help=f"contenders to measure, of {', '.join(TRAINERS)}; default all")
    p.add_argument("--rounds", type=int, default=20, metavar="N", help="maximum number of rounds (default 20)")
    p.add_argument("--least", type=int, default=5, metavar="N", help="minimum number of rounds (default 5)")
    p.add_argument("--seconds", type=float, default=60, metavar="S", help="seconds for the rounds of a case (default 60)")
    p.add_argument("--turn", type=float, default=0.5, metavar="S",
                   help="minimum duration of a contender's turn, in seconds (default 0.5)")
    p.add_argument("--only", metavar="TEXT", default="", help="only cases whose title contains TEXT")
    p.add_argument("--prepare", action="store_true", help="compile everything, including PyTorch's steps, without measuring")
    p.add_argument("--fresh", action="store_true", help="start a new result file")
    p.add_argument("--json", metavar="FILE", default=str(cases.WORK / "training.json"),
                   help="default build/peers/training.json")
    options = p.parse_args()
    if unknown := [n for n in options.contenders if n not in TRAINERS]:
        p.error(f"--contenders: no {', '.join(unknown)}; there are {', '.join(TRAINERS)}")
    if max(options.threads) > machine.describe()["cpus"]:
        p.error(f"--threads {max(options.threads)}: this machine has {machine.describe()['cpus']} processors")
    return options


def main():
    options = parse()
    interruptible()
    path = pathlib.Path(options.json).resolve()
    if options.fresh:
        path.unlink(missing_ok=True)
    try:
        spdc = Spdc(options.spdc)
        results = Results(path)
        results.about(machine=machine.describe(), versions=machine.versions(["torch"]), spdc=spdc.version,
                      settings={name: t.SETTINGS for name, t in TRAINERS.items()},
                      compiler=machine.first_line(["g++", "--version"]),
                      limits={"loss": LOSS, "gradient": GRADIENT, "foreign": FOREIGN})
        todo = [job for job in jobs(options) if options.only in job[1].title]
        for number, (key, case, measure_case) in enumerate(todo):
            print(f"[{number + 1} of {len(todo)}] {key}", file=sys.stderr, flush=True)
            if results.case(key) and not options.prepare:
                say("already in the file (--fresh starts a new one)")
                continue
            prepare(case, spdc)
            measure_case(key, case, options=options, results=results)
        print(f"{path}: done; Benchmarks/training/report writes docs/measured/training.md from it", file=sys.stderr)
    except KeyboardInterrupt:
        sys.exit(f"\ninterrupted; {path} has the finished results; the same command resumes from there")
    except (Failure, OSError, subprocess.SubprocessError) as failure:
        sys.exit(f"error: {failure}")


if __name__ == "__main__":
    main()
