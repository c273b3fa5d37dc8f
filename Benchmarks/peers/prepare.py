"""Makes the files of a case, and checks that all contenders compute the same."""
import functools
import os
import pathlib
import re
import subprocess
import sys

import numpy as np

from engines import ENGINES
from ours import Failure, call
from peers import Peer

HERE = pathlib.Path(__file__).resolve().parent
COMPARE = HERE.parent.parent / "Tests" / "Peers" / "compare.py"
ABSOLUTE, RELATIVE = 2e-3, 1e-4  # |Δ| ≤ 2e-3 + 1e-4·|y|
BF16_NORM = 0.05                 # for bfloat16: ‖Δ‖ ≤ 0.05·‖y‖


def python(script, *arguments):
    # One thread for exporting, so that the files do not depend on the machine.
    call([sys.executable, HERE / script, *arguments], env=dict(os.environ, OMP_NUM_THREADS="1"))


@functools.cache
def prepare(case, spdc, threads, peers, say):
    """Makes all files that these peers load, once per run. PyTorch's files of an earlier run are reused."""
    case.folder.mkdir(parents=True, exist_ok=True)
    say("spdc: export, compile, run")
    spdc.prepare(case)
    if not all(os.path.exists(f) for f in [case.state, case.input, *case.forms.values()]):
        say("PyTorch: state, ONNX")
        python("torch_export.py", case.model, case.size, case.batch)
    trials = [p for p in ("onnxruntime", "openvino") if any(q.startswith(p) for q in peers)]
    if "ncnn" in peers:
        try:
            if not os.path.exists(case.ncnn + ".bin"):
                say("pnnx: ncnn's files")
                python("ncnn_export.py", case.model, "--size", f"{case.size}x{case.size}", "--output", case.ncnn)
            trials.append("ncnn")
        except Failure as failure:
            say(f"ncnn is left out: {failure}")
    say(f"choosing variants for {', '.join(trials) or 'nobody'}")
    call([sys.executable, HERE / "choose.py", case.model, case.size, case.batch, threads, *trials])


def same(name, mine, reference):
    """Whether two results agree, and a text with the difference."""
    if name == "openvino-bf16":
        a, b = (np.load(f).astype(np.float64) for f in (mine, reference))
        if a.shape != b.shape:
            return False, f"shapes differ: {a.shape} and {b.shape}"
        norm = np.linalg.norm(a - b) / np.linalg.norm(b)
        return bool(norm <= BF16_NORM), f"‖Δ‖/‖y‖ {norm:.1e}"
    done = subprocess.run([sys.executable, COMPARE, mine, reference, "--abs", str(ABSOLUTE), "--rel", str(RELATIVE)],
                          capture_output=True, text=True)
    text = (done.stdout + done.stderr).strip()
    worst = re.search(r"max\|Δ\| ([0-9.e+-]+)", text)
    return done.returncode == 0, f"max Δ {float(worst[1]):.1e}" if worst and done.returncode == 0 else text


def start(case, threads, spdc, names, loads, say):
    """Starts and checks the peers. Returns the running ones and the findings by name."""
    running, found = {}, {}
    for name in names:
        peer = None
        try:
            samples = []
            for i in range(loads):
                say(f"{name}: load" + (f" {i + 1} of {loads}" if loads > 1 else ""))
                if peer:
                    peer.end()
                peer = Peer(name, case, threads)
                samples.append(peer.loading)
                if sum(s["load_s"] for s in samples) > 20:
                    break
            mine = case.folder / f"{name}.npy"
            peer.ask({"save": str(mine)})
            ok, text = same(name, mine, spdc.result(case))
            found[name] = {"ok": ok, "check": text, "loads": samples}
            if ok:
                running[name] = peer
            else:
                peer.end()
                say(f"{name} has a wrong result and is not measured: {text}")
        except Failure as failure:
            found[name] = {"ok": False, "check": failure.args[0].splitlines()[0], "loads": []}
            say(f"{name} fails and is not measured: {failure}")
        except BaseException:
            for other in {*running.values(), *([peer] if peer else [])}:
                other.end()
            raise
    return running, found


def packages():
    return sorted({engine.PACKAGE for engine in ENGINES.values()} | {"pnnx", "numpy"})
