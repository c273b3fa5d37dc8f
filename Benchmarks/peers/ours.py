"""Measures spdc: what it writes for a case, its times, and the memory and time of loading."""
import json
import pathlib
import subprocess

HERE = pathlib.Path(__file__).resolve().parent


class Failure(Exception):
    """A command failed; the text names it and has the end of its output."""


def call(command, env=None):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, env=env, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        tail = "\n".join((done.stderr + done.stdout).strip().splitlines()[-8:])
        raise Failure(f"{' '.join(str(c) for c in command)}: status {done.returncode}\n{tail}")
    return done.stdout


class Spdc:
    VARIANTS = {"spdc": [], "spdc-low-memory": ["--low-memory"]}

    def __init__(self, program):
        self.program = program
        self.version = call([program, "--version"]).strip()

    def common(self, case):
        return [case.model, "--size", f"{case.size}x{case.size}", "--batch", case.batch, "--weights", "synthetic"]

    def prepare(self, case):
        """Exports the ONNX file and compiles."""
        call([self.program, "export", *self.common(case), "-o", case.forms["spdc"]])
        self.compile(case, "spdc")

    def compile(self, case, name):
        """Writes the compiled network with its parameters, its result, and a program that loads it."""
        folder, stem, network = case.compiled(name), case.stem, [*self.common(case), *self.VARIANTS[name]]
        call([self.program, "compile", *network, "--packed", "-o", folder])
        call([self.program, "run", *network, "--input", "synthetic", "--output", self.result(case, name)])
        call(["cc", "-O2", f"-DPREFIX={stem}", f"-DUPPER={stem.upper()}", f"-I{folder}/include", HERE / "ours.c",
              f"-L{folder}", f"-l{stem}", f"-Wl,-rpath,{folder}", "-o", folder / "ours"])

    def result(self, case, name="spdc"):
        return case.folder / f"{name}.npy"

    def load(self, case, threads, name):
        """Loads from the parameters, or from packed weights if the name ends so."""
        mode, ending = ("map", "spdp") if name.endswith("-packed") else ("pack", "spdw")
        folder = case.compiled(name)
        return json.loads(call([folder / "ours", mode, folder / f"{case.stem}.{ending}", threads]))

    def bench(self, case, threads, seconds, name="spdc"):
        return json.loads(call([self.program, "bench", *self.common(case), *self.VARIANTS[name], "--threads", threads,
                                "--seconds", seconds, "--json"]))
