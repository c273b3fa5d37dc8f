"""Controls a peer's process: start, ask, and stop in between."""
import json
import os
import pathlib
import select
import signal
import subprocess
import sys

import machine
from cases import WORK
from ours import Failure

HERE = pathlib.Path(__file__).resolve().parent


class Peer:
    """A worker.py process. It runs only inside ask(); otherwise SIGSTOP keeps all its threads from running."""

    def __init__(self, name, case, threads, limit=1800):
        self.name, self.limit = name, limit
        logs = WORK / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        self.log = logs / f"{case.folder.name}-{threads}-{name}.log"
        command = [sys.executable, HERE / "worker.py", name, case.model, case.size, case.batch, threads]
        environment = dict(os.environ, OMP_NUM_THREADS=str(threads),
                           TORCHINDUCTOR_CACHE_DIR=str(WORK / "inductor"))
        # A session of its own: Ctrl-C is for the parent, which ends its workers itself.
        self.process = subprocess.Popen([str(c) for c in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=self.log.open("w"), env=environment, start_new_session=True)
        try:
            self.loading = self.reply()
        except BaseException:
            self.end()
            raise
        self.pause()

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def reply(self):
        ready, _, _ = select.select([self.process.stdout], [], [], self.limit)
        line = self.process.stdout.readline() if ready else b""
        if not line:
            tail = [t for t in self.log.read_text(errors="replace").strip().splitlines() if t.strip()][-1:]
            why = "ended" if ready else f"did not answer for {self.limit} s"
            raise Failure(f"{self.name} {why}: {tail[0] if tail else 'no message'}\nits output: {self.log}")
        return json.loads(line)

    def ask(self, order):
        self.process.send_signal(signal.SIGCONT)
        self.process.stdin.write(json.dumps(order).encode() + b"\n")
        self.process.stdin.flush()
        try:
            return self.reply()
        finally:
            self.pause()

    def measure(self, seconds):
        """The times, and the processor time that the process itself used."""
        before = machine.used_by(self.process.pid)
        results = self.ask({"measure": seconds})
        return results, machine.used_by(self.process.pid) - before

    def end(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
