"""Finds the fastest variant for each peer in rotating trials: python choose.py MODEL SIZE BATCH THREADS PEER…

For readers of ONNX a variant is a form of the file, for ncnn a set of options. Writes chosen.json and, for OpenVINO, the
fastest form in its own format.
"""
import json
import sys
import time

import numpy as np

import engines
from cases import Case

ROUNDS, SECONDS = 4, 0.3


class Variant:
    """The case for which the choice is made."""

    def __init__(self, case, peer, form):
        self.onnx = self.ir = case.forms.get(form)
        self.ncnn = case.ncnn
        self.chosen = {peer: {"form": form}}


def variants(case, peer):
    return list(engines.Ncnn.OPTIONS if peer == "ncnn" else case.forms)


def main():
    case, threads = Case(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])), int(sys.argv[4])
    x = np.load(case.input)
    chosen = {}
    for name in sys.argv[5:]:
        loaded = {form: engines.ENGINES[name](Variant(case, name, form), threads, x) for form in variants(case, name)}
        best = dict.fromkeys(loaded, float("inf"))
        for _ in range(ROUNDS):
            for form, engine in loaded.items():
                engine.run()
                until = time.perf_counter() + SECONDS
                while True:
                    start = time.perf_counter()
                    engine.run()
                    end = time.perf_counter()
                    best[form] = min(best[form], (end - start) * 1e3)
                    if end > until:
                        break
        chosen[name] = {"form": min(best, key=best.get), "min_ms": {f: round(t, 3) for f, t in best.items()}}
    if "openvino" in chosen:
        import openvino as ov
        ov.save_model(ov.Core().read_model(case.forms[chosen["openvino"]["form"]]), case.ir, compress_to_fp16=False)
    (case.folder / "chosen.json").write_text(json.dumps(chosen, indent=1) + "\n")


if __name__ == "__main__":
    main()
