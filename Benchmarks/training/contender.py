"""Runs contenders in processes of their own, in turns."""
import os
import pathlib
import subprocess
import sys
import time

import cases
import machine
from peers import Peer

HERE = pathlib.Path(__file__).resolve().parent
FOREIGN = 0.10  # a turn in which other programs used more than this share of one processor was disturbed


class Contender(Peer):
    """A train_worker.py process; as a peer of the inference benchmark, it runs only while it is asked."""

    def __init__(self, name, case, threads, limit=1800):
        self.start(name, ["train_worker.py", name, case.model, case.size, case.batch, threads], threads,
                   case.folder / f"{name}-{threads}.log", limit)

    def start(self, name, command, threads, log, limit):
        """Starts a worker, the first word of the command, and waits until it is ready."""
        self.name, self.limit, self.log = name, limit, log
        environment = dict(os.environ, OMP_NUM_THREADS=str(threads),
                           TORCHINDUCTOR_CACHE_DIR=str(cases.WORK / "inductor"))
        self.process = subprocess.Popen([sys.executable, HERE / command[0], *map(str, command[1:])],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log.open("w"),
                                        env=environment, start_new_session=True)
        try:
            self.first = self.reply()
        except BaseException:
            self.end()
            raise
        self.pause()


def end(running):
    for contender in running.values():
        contender.end()


def turn(contender, seconds):
    """The times of one turn, and the share of a processor that other programs used meanwhile."""
    begin, all_before = time.monotonic(), machine.busy()
    here_before, own_before = machine.used_here(), machine.used_by(contender.process.pid)
    times = contender.ask({"measure": seconds})["times_ms"]
    own = machine.used_by(contender.process.pid) - own_before + machine.used_here() - here_before
    return {"times_ms": times, "foreign": max(0, machine.busy() - all_before - own) / (time.monotonic() - begin)}


def measure(running, options, machine_rates=None):
    """Measures interleaved rounds in rotating order until there are enough or time is up. Each round includes the result of
    `machine_rates` after it."""
    rounds, names, begin = [], list(running), time.monotonic()
    while len(rounds) < options.least or (len(rounds) < options.rounds and time.monotonic() - begin < options.seconds):
        shift = len(rounds) % len(names)
        turns = {n: turn(running[n], options.turn) for n in names[shift:] + names[:shift]}
        rounds.append({"figures": turns, "kept": max(t["foreign"] for t in turns.values()) <= FOREIGN})
        if machine_rates:
            rounds[-1]["machine"] = machine_rates()
    return rounds
