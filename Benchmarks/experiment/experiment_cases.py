"""The trained pairs of a network with space-to-depth and its strided baseline, at 32×32 and below."""
import dataclasses
import pathlib

WORK = pathlib.Path(__file__).resolve().parents[2] / "build" / "experiment"
# The same settings for all, not each network's published recipe; the last epoch counts, not the best.
SETTINGS = {"batch": 32, "optimizer": "adam", "lr": 0.0005, "momentum": 0.9, "weight-decay": 0,
            "schedule": "cosine", "warmup-epochs": 0, "limit": 3000, "validate-every": 4, "flip-vertical": 0,
            "rotation": 0, "crop-padding": 2}
# Small images take more epochs, and cost less.
EPOCHS = {32: 4, 16: 8}
# Radius of the smallest shapes, as a fraction of the side: smaller ones would take too long to learn.
RADIUS = 0.3
PAIRS = [("resnet18-spd", "resnet18", (32, 16)), ("resnet50-spd", "resnet50", (32, 16))]


@dataclasses.dataclass(frozen=True)
class Run:
    model: str
    side: int
    seed: int

    @property
    def title(self):
        return f"{self.model} {self.side}x{self.side} seed {self.seed}"

    @property
    def folder(self):
        return WORK / self.title.replace(" ", "-")

    @property
    def data(self):
        return f"shapes:{self.side}:{RADIUS}"


def runs(seeds):
    """All runs in order: pair by pair, and seed by seed, small images first, so that an early end still leaves pairs to compare."""
    for spd, strided, sides in PAIRS:
        for seed in range(1, seeds + 1):
            for side in sorted(sides):
                for model in (spd, strided):
                    yield Run(model, side, seed)
