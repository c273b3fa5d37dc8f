"""Runs one contender with one case in its own process: python train_worker.py TRAINER MODEL SIZE BATCH THREADS

Reports the loss and gradient norms of its first step in one JSON line, then obeys lines of JSON on standard input:
{"measure": seconds} times steps for that long, at least one; {"memory": true} reports the peak of two steps, above the
process's size after its imports.
"""
import ctypes
import json
import os
import sys
import time

from training_cases import TrainingCase
from worker import forget_peak, memory


def measure(trainer, seconds):
    times, begin = [], time.perf_counter()
    while not times or time.perf_counter() - begin < seconds:
        start = time.perf_counter()
        trainer.step()
        times.append((time.perf_counter() - start) * 1e3)
    return {"times_ms": times}


def main():
    ctypes.CDLL(None).prctl(1, 9)  # PR_SET_PDEATHSIG: a stopped process would not notice that its parent has ended
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # libraries may print to standard output

    from trainers import REFERENCE, TRAINERS, TorchDouble
    kind = TorchDouble if sys.argv[1] == REFERENCE else TRAINERS[sys.argv[1]]
    case, threads = TrainingCase(sys.argv[2], int(sys.argv[3]), int(sys.argv[4])), int(sys.argv[5])
    kind.imports()
    base = memory("VmRSS")
    trainer = kind(case, threads)
    loss = trainer.step()
    print(json.dumps({"loss": loss, "gradients": trainer.gradients()}), file=replies, flush=True)
    trainer.step()
    for line in sys.stdin:
        order = json.loads(line)
        if "memory" in order:
            forget_peak()
            trainer.step()
            trainer.step()
            reply = {"peak_bytes": memory("VmHWM") - base}
        else:
            reply = measure(trainer, order["measure"])
        print(json.dumps(reply), file=replies, flush=True)


if __name__ == "__main__":
    main()
