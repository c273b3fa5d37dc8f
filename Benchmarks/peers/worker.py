"""Runs one peer with one network in its own process: python worker.py ENGINE MODEL SIZE BATCH THREADS

Reports loading in one JSON line, then obeys lines of JSON on standard input: {"save": "y.npy"} stores the last result,
{"measure": seconds} times runs for that long. Between the lines the parent stops the process with SIGSTOP, so that none of
its threads spins while others are measured.
"""
import ctypes
import json
import os
import statistics
import sys
import time

WARM_RUNS, WARM_SECONDS, LEAST_RUNS = 2, 0.2, 3


def memory(key):
    with open("/proc/self/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith(key + ":")) * 1024


def forget_peak():
    """Resets VmHWM to the current resident size."""
    with open("/proc/self/clear_refs", "w") as f:
        f.write("5")


def measure(engine, seconds):
    """Times runs, after untimed ones: other processes had the caches."""
    begin, runs = time.perf_counter(), 0
    while runs < WARM_RUNS or time.perf_counter() - begin < min(WARM_SECONDS, seconds / 2):
        engine.run()
        runs += 1
    times, begin = [], time.perf_counter()
    while len(times) < LEAST_RUNS or time.perf_counter() - begin < seconds:
        start = time.perf_counter()
        engine.run()
        times.append((time.perf_counter() - start) * 1e3)
    times.sort()
    at = lambda share: times[min(int(share * len(times)), len(times) - 1)]
    return {"min_ms": times[0], "median_ms": statistics.median(times), "p10_ms": at(0.1), "p90_ms": at(0.9),
            "runs": len(times)}


def main():
    ctypes.CDLL(None).prctl(1, 9)  # PR_SET_PDEATHSIG: a stopped process would not notice that its parent has ended
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # libraries may print to standard output

    import numpy as np
    from cases import Case
    from engines import ENGINES
    kind = ENGINES[sys.argv[1]]
    case, threads = Case(sys.argv[2], int(sys.argv[3]), int(sys.argv[4])), int(sys.argv[5])
    x = np.load(case.input)
    kind.imports()
    forget_peak()
    base = memory("VmRSS")

    begin = time.perf_counter()
    engine = kind(case, threads, x)
    engine.run()
    ready = time.perf_counter() - begin
    reply = {"load_s": ready, "peak_bytes": memory("VmHWM") - base, "resident_bytes": memory("VmRSS") - base}
    print(json.dumps(reply), file=replies, flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        reply = {}
        if "save" in order:
            np.save(order["save"], np.asarray(engine.output()))
        if "measure" in order:
            reply = measure(engine, order["measure"])
        print(json.dumps(reply), file=replies, flush=True)


if __name__ == "__main__":
    main()
