"""Detection of small objects: YOLOv5-SPD-n, YOLOv5n and the control on the generated detection data set."""
import json

from ours import call
from study import Network, Study


class SmallObjects(Study):
    name = "small-objects"
    networks = (Network("yolov5-spd-n", "spd"), Network("yolov5n", "strided"),
                Network("yolov5n-strided", "control", "yolov5n-strided.swift"))
    curves = ("metrics/mAP_0.5", "metrics/mAP_0.5:0.95", "train/box_loss", "train/obj_loss", "train/cls_loss")

    def __init__(self, options):
        super().__init__(options)
        quick = options.quick
        self.side = 128
        self.images = {"train": 48, "val": 32} if quick else {"train": 800, "val": 200}
        epochs = options.epochs or (2 if quick else 120)
        # There are few iterations, so no accumulation and no mosaic; nothing ends a run early. The loss is a sum over the
        # batch, so one of 16 bears a higher learning rate than YOLOv5's 64; it falls to a hundredth, so that the curves
        # level off.
        self.settings = {"preset": "detection", "epochs": epochs, "batch": 16, "nominal-batch": 16,
                         "warmup-iterations": 100, "patience": epochs, "save-iterations": 50,
                         "validate-every": max(1, epochs // 15), "mosaic": 0, "lr": 0.06, "final-factor": 0.01}

    @property
    def data(self):
        return self.work / "shapes"

    @property
    def facts(self):
        return {"side": self.side, "images": self.images, "settings": self.settings}

    def prepare(self, spdc):
        if not (self.data / "data.yaml").exists():
            counts = [word for split, count in self.images.items() for word in (f"--{split}", count)]
            call([spdc.program, "dataset", "shapes", "-o", self.data, "--size", self.side, *counts])

    def runs(self):
        """Seed by seed, so that an early end still leaves networks to compare."""
        for seed in self.seeds:
            for network in self.networks:
                yield self.run(network, network.argument(self.work), self.data, seed, self.side)

    def measure(self, spdc, run):
        found = json.loads(call([spdc.program, "val", run.model, "--data", run.data, "--size", run.size,
                                 "--weights", run.last, "--json"]))
        return {"coco": found["coco"], "map50": found["map50"], "map50_95": found["map50_95"]}
