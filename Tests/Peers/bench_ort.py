"""Time an exported network with ONNX Runtime on the CPU: python bench_ort.py MODEL.onnx --threads 1 --runs 20

Prints JSON, {"min_ms": …, "median_ms": …}; all graph optimisations, synthetic input, two untimed runs first.
--output Y.npy also stores the result, to be compared with the reference.
"""
import argparse
import json
import statistics
import time

import numpy as np
import onnxruntime as ort

import synthetic


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("model", metavar="MODEL.onnx")
    p.add_argument("--threads", type=int, default=1, metavar="N")
    p.add_argument("--runs", type=int, default=20, metavar="N")
    p.add_argument("--output", metavar="Y.npy")
    a = p.parse_args()

    options = ort.SessionOptions()
    options.intra_op_num_threads = a.threads
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = ort.InferenceSession(a.model, options, providers=["CPUExecutionProvider"])
    entry = session.get_inputs()[0]
    b, _, h, w = entry.shape
    feed = {entry.name: synthetic.synthetic_input(b, h, w).numpy()}

    for _ in range(2):
        y = session.run(None, feed)[0]
    times = []
    for _ in range(max(a.runs, 1)):
        start = time.perf_counter()
        session.run(None, feed)
        times.append((time.perf_counter() - start) * 1e3)
    if a.output:
        np.save(a.output, y)
    print(json.dumps({"min_ms": round(min(times), 3), "median_ms": round(statistics.median(times), 3)}))


if __name__ == "__main__":
    main()
