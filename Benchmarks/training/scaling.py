"""Measures the thread scaling of a step of spdc's C: few and many threads, interleaved, with the machine's own scaling."""
from bench import say
from cases import WORK
from contender import HERE, Contender, end, measure
from ours import Failure, call


def control():
    """Builds the program that measures the machine itself."""
    program = WORK / "training" / "control"
    call(["cc", "-O3", "-march=native", "-ffp-contract=fast", "-fopenmp", HERE / "control.c", "-o", program])
    return program


def one_case(key, case, few, many, options, results):
    """Measures rounds of steps with `few` and with `many` threads, after checking that their first steps are the same."""
    program, running = control(), {}
    try:
        for threads in (few, many):
            running[str(threads)] = Contender("spdc", case, threads)
        first, other = (c.first for c in running.values())
        # The norms are numpy's, which sums in an order of its own.
        if first["loss"] != other["loss"] or any(
                abs(norm - other["gradients"][name]) > 1e-12 * norm for name, norm in first["gradients"].items()):
            raise Failure(f"{case.title}: loss or gradients depend on the number of threads; nothing was timed")
        if options.prepare:
            return
        # By threads: GFLOP/s of multiply-adds, GB/s of memory.
        rounds = measure(running, options, lambda: {
            threads: [float(word) for word in call([program, threads]).split()] for threads in running})
    finally:
        end(running)
    results.put(key, {"model": case.model, "size": case.size, "batch": case.batch, "few": few, "many": many,
                      "rounds": rounds})
    for threads in running:
        times = [t for r in rounds for t in r["figures"][threads]["times_ms"]]
        say(f"{threads} threads {min(times):9.1f} ms min {len(times):4} steps")
