"""spdc's side: what it writes for a case, its times, and the memory and time that loading takes."""
import json
import pathlib
import subprocess

HERE = pathlib.Path(__file__).resolve().parent


class Failure(Exception):
    """Something that was called did not work; the text says what, and the end of its output."""


def call(command, env=None):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, env=env, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        tail = "\n".join((done.stderr + done.stdout).strip().splitlines()[-8:])
        raise Failure(f"{' '.join(str(c) for c in command)}: status {done.returncode}\n{tail}")
    return done.stdout


class Spdc:
    def __init__(self, program):
        self.program = program
        self.version = call([program, "--version"]).strip()

    def common(self, case):
        return [case.model, "--size", f"{case.size}x{case.size}", "--batch", case.batch, "--weights", "synthetic"]

    def prepare(self, case):
        """The ONNX file, the compiled network with its parameters, its result, and a program that loads it."""
        folder, stem = case.ours, case.stem
        call([self.program, "export", *self.common(case), "-o", case.forms["spdc"]])
        call([self.program, "compile", *self.common(case), "--packed", "-o", folder])
        call([self.program, "run", *self.common(case), "--input", "synthetic", "--output", self.result(case)])
        call(["cc", "-O2", f"-DPREFIX={stem}", f"-DUPPER={stem.upper()}", f"-I{folder}/include", HERE / "ours.c",
              f"-L{folder}", f"-l{stem}", f"-Wl,-rpath,{folder}", "-o", folder / "ours"])

    def result(self, case):
        return case.folder / "spdc.npy"

    def load(self, case, threads, packed):
        mode, ending = ("map", "spdp") if packed else ("pack", "spdw")
        return json.loads(call([case.ours / "ours", mode, case.ours / f"{case.stem}.{ending}", threads]))

    def bench(self, case, threads, seconds):
        return json.loads(call([self.program, "bench", *self.common(case), "--threads", threads, "--seconds", seconds,
                                "--json"]))
