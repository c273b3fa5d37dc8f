"""The trained cases: a network at one size and batch, with synthetic images, labels and boxes."""
import dataclasses

import numpy as np

from cases import WORK

RATES = {"lr": 1e-3, "momentum": 0.9, "weight_decay": 5e-4}  # SGD, every parameter
BOXES = 8  # per image


@dataclasses.dataclass(frozen=True)
class TrainingCase:
    model: str
    size: int
    batch: int

    @property
    def title(self):
        return f"{self.model} {self.size}x{self.size} batch {self.batch}"

    @property
    def folder(self):
        return WORK / "training" / self.title.replace(" ", "-")

    @property
    def prefix(self):
        return self.model.replace("-", "_") + "_train"

    @property
    def values(self):
        """The synthetic parameters in the order of the generated module's state."""
        return self.folder / "values.npy"

    @property
    def is_detector(self):
        return self.model.startswith("yolo")

    def images(self):
        return np.random.default_rng(1).random((self.batch, 3, self.size, self.size), dtype=np.float32)

    def labels(self):
        return (np.arange(self.batch) * 7 % 10).astype(np.int32)

    def targets(self):
        """Makes rows of image, class, centre x, y, width and height; sides from 0.02 to 0.32 of the image's."""
        u = np.random.default_rng(2).random((self.batch * BOXES, 5), dtype=np.float32)
        image = np.repeat(np.arange(self.batch, dtype=np.float32), BOXES)
        return np.column_stack([image, np.floor(u[:, 0] * 80), u[:, 1:3], 0.02 + 0.3 * u[:, 3:]]).astype(np.float32)


CASES = [TrainingCase(*c) for c in (("resnet18-spd", 64, 32), ("resnet18-spd", 64, 128), ("resnet50-spd", 32, 128),
                                    ("yolov5-spd-n", 320, 8), ("yolov5-spd-s", 640, 2))]
BATCHES = [TrainingCase("resnet18-spd", 64, batch) for batch in (8, 16, 32, 64, 128, 256)]
