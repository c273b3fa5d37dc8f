"""Finds which ONNX form each reader of ONNX runs fastest, in turns: python choose.py MODEL SIZE BATCH THREADS

Writes chosen.json and, for OpenVINO, its own format of the file it likes best.
"""
import json
import sys
import time

import numpy as np

import engines
from cases import Case

ROUNDS, SECONDS = 4, 0.3


class OneForm:
    """A case in which the file to load is given."""

    def __init__(self, path):
        self.onnx = self.ir = path


def main():
    case, threads = Case(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])), int(sys.argv[4])
    x = np.load(case.input)
    chosen = {}
    for name in ("onnxruntime", "openvino"):
        loaded = {form: engines.ENGINES[name](OneForm(path), threads, x) for form, path in case.forms.items()}
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
    import openvino as ov
    ov.save_model(ov.Core().read_model(case.forms[chosen["openvino"]["form"]]), case.ir, compress_to_fp16=False)
    (case.folder / "chosen.json").write_text(json.dumps(chosen, indent=1) + "\n")


if __name__ == "__main__":
    main()
