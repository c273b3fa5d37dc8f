"""Computes the values of the tables and plots from the raw results of a run."""
import statistics

OURS = "spdc"
RECORD_ONLY = "openvino-bf16"  # of another precision: shown, but never counted as the best peer
ORDER = ["spdc", "spdc-low-memory", "openvino", "onnxruntime", "ncnn", "torch-compile", "torch-channels-last", "torch", "openvino-bf16"]


class CaseMetrics:
    """One network at one size, batch and number of threads."""

    def __init__(self, raw):
        self.raw = raw
        self.model, self.batch, self.threads = raw["model"], raw["batch"], raw["threads"]
        self.size, self.input = raw["size"], f"{raw['size']}×{raw['size']}"
        kept = [r["figures"] for r in raw["rounds"] if r["kept"]]
        self.dropped = len(raw["rounds"]) - len(kept)
        self.disturbed = not kept  # show the disturbed rounds, then
        self.rounds = kept or [r["figures"] for r in raw["rounds"]]
        self.names = [n for n in ORDER if n in self.rounds[0]]
        self.failed = {n: c["check"] for n, c in raw["contenders"].items() if not c["ok"]}

    def least(self, name):
        return min(r[name]["min_ms"] for r in self.rounds)

    def median(self, name):
        return statistics.median(r[name]["median_ms"] for r in self.rounds)

    @property
    def best_peer(self):
        """The fastest peer of the same precision."""
        peers = [n for n in self.names if not n.startswith(OURS) and n != RECORD_ONLY]
        return min(peers, key=self.median) if peers else None

    @property
    def ratio(self):
        return self.median(self.best_peer) / self.median(OURS)

    @property
    def ratio_of_least(self):
        return self.least(self.best_peer) / self.least(OURS)

    @property
    def peak_share(self):
        """Share of the FMA peak that this machine reached in the same rounds; counts direct convolution's operations."""
        return statistics.median(r[OURS]["gflop"] / r[OURS]["min_ms"] * 1e3 / r[OURS]["peak_gflops"] for r in self.rounds)

    @property
    def gflop(self):
        return self.rounds[0][OURS]["gflop"]

    def per_gflop(self, name):
        return self.median(name) / self.gflop

    def load(self, name):
        """Seconds, peak bytes, bytes afterwards, bytes of files; None where loading was not measured."""
        facts = self.raw["contenders"].get(name)
        if not facts or not facts["loads"] or not facts["ok"]:
            return None
        loads = facts["loads"]
        return (min(l["load_s"] for l in loads), statistics.median(l["peak_bytes"] for l in loads),
                statistics.median(l["resident_bytes"] for l in loads), facts["file_bytes"])


def read(data):
    return [CaseMetrics(raw) for raw in data["cases"].values()]


def times_faster(ratio):
    return f"{ratio:.2f}×"


def processor(machine):
    vectors = f", {machine['vectors']}" if machine["vectors"] else ""
    return f"{machine['cpu']} (family {machine['family']}, model {machine['model']}), {machine['cpus']} processors{vectors}"


def table(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"
