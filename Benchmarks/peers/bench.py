"""Measures spdc's C and the peers side by side. Benchmarks/peers/run sets up what this needs and calls it."""
import argparse
import contextlib
import pathlib
import signal
import statistics
import subprocess
import sys
import time

import cases
import machine
import prepare
from engines import ENGINES
from ours import Failure, Spdc
from results import Results

QUIET = 0.85    # a round whose FMA peak is below this share of the best one was disturbed,
FOREIGN = 0.10  # and so was one in which other programs used more than this share of one processor
OURS = "spdc"
LOW_MEMORY = "spdc-low-memory"  # measured as well, batch 1


def say(text):
    print(f"  {text}", file=sys.stderr, flush=True)


def measure_one(name, case, threads, spdc, running, seconds):
    """Measures one contender for a short while, all others stopped."""
    begin, all_before, here_before = time.monotonic(), machine.busy(), machine.used_here()
    if name in spdc.VARIANTS:
        bench = spdc.bench(case, threads, seconds, name)
        results = {key: bench[key] for key in ("min_ms", "median_ms", "p10_ms", "p90_ms", "runs")}
        results.update(peak_gflops=bench["peak_gflops"], gflop=bench["gflop"])
        own = 0
    else:
        results, own = running[name].measure(seconds)
    own += machine.used_here() - here_before
    results["foreign"] = max(0, machine.busy() - all_before - own) / (time.monotonic() - begin)
    return results


def mark(rounds):
    """Marks each round as kept or not: the machine must have had its full speed, and no other program may have used it."""
    best = max(r["figures"][OURS]["peak_gflops"] for r in rounds)
    for r in rounds:
        full = r["figures"][OURS]["peak_gflops"] >= QUIET * best
        r["kept"] = full and max(f["foreign"] for f in r["figures"].values()) <= FOREIGN
    return sum(r["kept"] for r in rounds)


def measure(case, threads, spdc, ours, running, rounds, seconds):
    """Measures rounds in which each contender has a turn, until enough were undisturbed or twice as many are done."""
    done = []
    names = [*ours, *running]
    for number in range(2 * rounds):
        order = names[number % len(names):] + names[:number % len(names)]
        done.append({"figures": {n: measure_one(n, case, threads, spdc, running, seconds) for n in order}})
        kept = mark(done)
        now = done[-1]["figures"]
        fastest = min(now, key=lambda n: now[n]["median_ms"])
        say(f"round {number + 1}: spdc {now[OURS]['median_ms']:.2f} ms, fastest {fastest} "
            f"{now[fastest]['median_ms']:.2f} ms" + ("" if done[-1]["kept"] else ", disturbed"))
        if kept >= rounds:
            break
    return done


def one_case(case, threads, spdc, options, results):
    key = f"{case.title} threads {threads}"
    if results.case(key) and not options.again:
        say("already in the file (--again measures it again)")
        return
    prepare.prepare(case, spdc, max(options.threads), tuple(options.peers), say)
    loads = options.loads if threads == max(options.threads) else 1
    running, found = prepare.start(case, threads, spdc, options.peers, loads, say)
    try:
        ours = [OURS]
        found[OURS] = found["spdc-packed"] = {"ok": True, "check": ""}
        if case.batch == 1:
            spdc.compile(case, LOW_MEMORY)
            ok, text = prepare.same(LOW_MEMORY, spdc.result(case, LOW_MEMORY), spdc.result(case))
            found[LOW_MEMORY] = {"ok": ok, "check": text}
            ours += [LOW_MEMORY] * ok
        for name in [*ours, "spdc-packed"]:
            found[name] = {**found[name], "loads": [spdc.load(case, threads, name) for _ in range(loads)]}
        for name, facts in found.items():
            if facts.setdefault("loads", []):
                facts["file_bytes"] = sum(f.stat().st_size for f in case.files(name))
        for name in ours:
            spdc.bench(case, threads, 0.1, name)  # compiled once, then cached
        rounds = measure(case, threads, spdc, ours, running, options.rounds, options.seconds)
    finally:
        for peer in running.values():
            peer.end()
    results.put(key, {"model": case.model, "size": case.size, "batch": case.batch, "threads": threads,
                      "seconds": options.seconds, "chosen": case.chosen, "contenders": found, "rounds": rounds})
    summary(rounds, found)


def summary(rounds, found):
    counted = [r for r in rounds if r["kept"]] or rounds
    for name in found:
        if name in counted[0]["figures"]:
            low = min(r["figures"][name]["min_ms"] for r in counted)
            mid = statistics.median(r["figures"][name]["median_ms"] for r in counted)
            say(f"{name:20} {low:9.3f} ms min {mid:9.3f} ms median   {found[name]['check']}")


def numbers(text):
    values = [int(v) for v in text.split(",")]
    if not values or min(values) < 1:
        raise ValueError
    return values


def defaults(parser, options, values):
    """Fills in defaults for options that were not given, or those of --quick."""
    for key, usual, quick in values:
        if getattr(options, key) is None:
            setattr(options, key, quick if options.quick else usual)
        if getattr(options, key) <= 0:
            parser.error(f"--{key} must be positive")


def parse():
    p = argparse.ArgumentParser(prog="Benchmarks/peers/run", description=__doc__.splitlines()[0])
    p.add_argument("spdc", metavar="SPDC", help="path of the command, such as .build/release/spdc")
    p.add_argument("--networks", "--only", metavar="A,B", help=f"networks to measure, of {', '.join(cases.NETWORKS)}; default all")
    p.add_argument("--peers", metavar="A,B", help=f"peers to measure, of {', '.join(ENGINES)}; default all")
    p.add_argument("--threads", type=numbers, default=[1, 2], metavar="1,2")
    p.add_argument("--batch", type=int, default=8, metavar="N",
                   help=f"batch size of further cases of {', '.join(cases.BATCHED)}; 1: none (default 8)")
    p.add_argument("--rounds", type=int, metavar="N", help="number of undisturbed rounds (default 5)")
    p.add_argument("--seconds", type=float, metavar="S", help="seconds per contender and round (default 1)")
    p.add_argument("--loads", type=int, metavar="N", help="number of loads per contender, in fresh processes (default 3)")
    p.add_argument("--quick", action="store_true", help="smoke test: two small networks, two rounds of 0.3 s")
    p.add_argument("--again", action="store_true", help="measure again what is already in the file")
    p.add_argument("--fresh", action="store_true", help="start a new result file")
    p.add_argument("--json", metavar="FILE", help="result file; default build/peers/bench.json, with --quick bench-quick.json")
    o = p.parse_args()
    defaults(p, o, (("rounds", 5, 2), ("seconds", 1.0, 0.3), ("loads", 3, 1)))
    if o.batch < 1:
        p.error("--batch must be positive")
    for key, known, usual in (("networks", cases.NETWORKS, cases.QUICK if o.quick else cases.NETWORKS),
                              ("peers", list(ENGINES), list(ENGINES))):
        value = getattr(o, key)
        chosen = value.split(",") if value else usual
        if unknown := [n for n in chosen if n not in known]:
            p.error(f"--{key}: no {', '.join(unknown)}; there are {', '.join(known)}")
        setattr(o, key, chosen)
    cpus = machine.describe()["cpus"]
    if max(o.threads) > cpus:
        p.error(f"--threads {max(o.threads)}: this machine has {cpus} processors")
    return o


def interruptible():
    """Handles SIGTERM like Ctrl-C, also in background jobs of a shell."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)


def about(results, spdc):
    """The contenders and the machine; a file has results of one machine and one set of versions."""
    results.about(machine=machine.describe(), versions=machine.versions(prepare.packages()), spdc=spdc.version,
                  settings={name: engine.SETTINGS for name, engine in ENGINES.items()},
                  limits={"absolute": prepare.ABSOLUTE, "relative": prepare.RELATIVE, "bf16_norm": prepare.BF16_NORM,
                          "quiet": QUIET, "foreign": FOREIGN})


@contextlib.contextmanager
def recording(options, stem):
    """Yields spdc and the result file; on interruption says that the same command resumes."""
    interruptible()
    path = cases.WORK / (f"{stem}-quick.json" if options.quick else f"{stem}.json")
    if options.json:
        path = pathlib.Path(options.json).resolve()
    if options.fresh:
        path.unlink(missing_ok=True)
    try:
        spdc = Spdc(options.spdc)
        results = Results(path)
        about(results, spdc)
        yield spdc, results
        print(f"{path}: done; Benchmarks/peers/report writes the docs from it", file=sys.stderr)
    except KeyboardInterrupt:
        sys.exit(f"\ninterrupted; {path} has the finished results; the same command resumes from there")
    except (Failure, OSError, subprocess.SubprocessError) as failure:
        sys.exit(f"error: {failure}")


def main():
    options = parse()
    with recording(options, "bench") as (spdc, results):
        todo = [(c, t) for c in cases.plan(options.networks, options.batch) for t in options.threads]
        for number, (case, threads) in enumerate(todo):
            print(f"[{number + 1} of {len(todo)}] {case.title}, {threads} thread{'s' * (threads > 1)}",
                  file=sys.stderr, flush=True)
            one_case(case, threads, spdc, options, results)


if __name__ == "__main__":
    main()
