"""Classification at low resolution: ResNet18-SPD, ResNet18 and the control on Fashion-MNIST at 28 and at 14 pixels."""
import json
import pathlib

from ours import call
from study import Network, Study

DEBIAN = pathlib.Path("/usr/share/datasets/fashion-mnist")


class LowResolution(Study):
    name = "low-resolution"
    networks = (Network("resnet18-spd", "spd", "resnet18-spd.swift"), Network("resnet18", "strided", "resnet18.swift"),
                Network("resnet18-strided", "control", "resnet18-strided.swift"))
    curves = ("train/loss", "train/top1", "val/loss", "val/top1")
    # Side of the images, and of the network's input, to which they are padded.
    sides = {28: 32, 14: 16}

    def __init__(self, options):
        super().__init__(options)
        quick = options.quick
        self.width = options.width or (4 if quick else 8)
        self.settings = {"preset": "default", "epochs": options.epochs or (2 if quick else 10), "batch": 128,
                         "optimizer": "sgd", "lr": 0.1, "momentum": 0.9, "nesterov": "true", "weight-decay": 0.0005,
                         "schedule": "cosine", "warmup-epochs": 1, "flip-horizontal": 0.5, "flip-vertical": 0,
                         "crop-padding": 2, "rotation": 0, "value-range": "0-1", "mean": "[0.286, 0.286, 0.286]",
                         "std": "[0.353, 0.353, 0.353]", "save-iterations": 100, "validate-every": 1 if quick else 2}
        self.settings["limit"] = 512 if quick else 12_000

    @property
    def facts(self):
        return {"width": self.width, "settings": self.settings}

    def prepare(self, spdc):
        folder = self.options.fashion_mnist
        if not folder.is_dir():
            raise SystemExit(f"{folder}: there is no such folder; install Debian's package dataset-fashion-mnist, or give "
                             f"--fashion-mnist DIR with the four IDX files")

    def runs(self):
        """Seed by seed, small images first, so that an early end still leaves networks to compare."""
        for seed in self.seeds:
            for side in sorted(self.sides):
                for network in self.networks:
                    yield self.run(network, network.argument(self.work, self.width),
                                   f"idx:{self.options.fashion_mnist}:{side}", seed, self.sides[side], f"{side} pixels")

    def measure(self, spdc, run):
        found = json.loads(call([spdc.program, "val", run.model, "--data", run.data, "--size", run.size,
                                 "--weights", run.last, "--json"]))
        return {"pixels": int(run.data.rpartition(":")[2]), **{key: found[key] for key in ("top1", "loss")}}
