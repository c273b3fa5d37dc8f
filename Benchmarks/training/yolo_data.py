"""YOLOv5's training samples with OpenCV and NumPy: mosaic, random perspective, HSV, flip, in the default amounts.

Labels are rows of class and centre, width and height as fractions of the image.
"""
import ctypes

import cv2
import numpy as np
import torch

TRANSLATE, SCALE, FLIP, GAINS = 0.1, 0.5, 0.5, (0.015, 0.7, 0.4)
GREY = 114


def label_file(path):
    rows = [line.split() for line in path.read_text().splitlines()]
    return np.array(rows, np.float32).reshape(-1, 5)


def corners(labels, width, height, x=0.0, y=0.0):
    """Rows of class and two corners in pixels, moved by x and y."""
    boxes = labels.copy()
    for column, side, offset in ((1, width, x), (2, height, y)):
        boxes[:, column] = side * (labels[:, column] - labels[:, column + 2] / 2) + offset
        boxes[:, column + 2] = side * (labels[:, column] + labels[:, column + 2] / 2) + offset
    return boxes


class Samples(torch.utils.data.Dataset):
    """Pairs of a 3×S×S tensor of bytes and its labels; with `augments` false, images as they are."""

    def __init__(self, folder, size, augments=True):
        self.paths = sorted((folder / "images/train").iterdir())
        self.labels = [label_file(folder / "labels/train" / f"{path.stem}.txt") for path in self.paths]
        self.size, self.augments = size, augments

    def __len__(self):
        return len(self.paths)

    def image(self, index):
        image = cv2.imread(str(self.paths[index]))
        height, width = image.shape[:2]
        ratio = self.size / max(height, width)
        if ratio != 1:
            image = cv2.resize(image, (int(width * ratio), int(height * ratio)), interpolation=cv2.INTER_LINEAR)
        return image

    def mosaic(self, index, random):
        size = self.size
        centre_x, centre_y = (int(random.uniform(size / 2, 3 * size / 2)) for _ in range(2))
        chosen = random.permutation([index, *random.integers(0, len(self), 3)])
        canvas, labels = np.full((2 * size, 2 * size, 3), GREY, np.uint8), []
        for place, other in enumerate(chosen):
            image = self.image(other)
            height, width = image.shape[:2]
            # The image's corner at the centre; the canvas cuts it off.
            x, y = (centre_x if place % 2 else centre_x - width), (centre_y if place > 1 else centre_y - height)
            left, top, right, bottom = max(x, 0), max(y, 0), min(x + width, 2 * size), min(y + height, 2 * size)
            canvas[top:bottom, left:right] = image[top - y:bottom - y, left - x:right - x]
            labels.append(corners(self.labels[other], width, height, x, y))
        labels = np.concatenate(labels)
        np.clip(labels[:, 1:], 0, 2 * size, out=labels[:, 1:])
        return canvas, labels

    def perspective(self, canvas, labels, random):
        """Scales around the canvas's centre and moves, onto half of its sides."""
        size = self.size
        scale = random.uniform(1 - SCALE, 1 + SCALE)
        move = [random.uniform(0.5 - TRANSLATE, 0.5 + TRANSLATE) * size - scale * size for _ in range(2)]
        matrix = np.array([[scale, 0, move[0]], [0, scale, move[1]]])
        image = cv2.warpAffine(canvas, matrix, (size, size), borderValue=(GREY, GREY, GREY))
        points = labels[:, [1, 2, 3, 4, 1, 4, 3, 2]].reshape(-1, 2)
        points = (points @ matrix[:, :2].T + matrix[:, 2]).reshape(-1, 4, 2)
        boxes = np.concatenate([points.min(1), points.max(1)], 1).clip(0, size)
        sides, old = boxes[:, 2:] - boxes[:, :2], (labels[:, 3:] - labels[:, 1:3]) * scale
        aspect = np.maximum(sides[:, 0] / (sides[:, 1] + 1e-16), sides[:, 1] / (sides[:, 0] + 1e-16))
        kept = (sides > 2).all(1) & (sides.prod(1) / (old.prod(1) + 1e-16) > 0.1) & (aspect < 20)
        return image, np.column_stack([labels[kept, 0], boxes[kept]])

    @staticmethod
    def jitter(image, random):
        factors = 1 + random.uniform(-1, 1, 3) * GAINS
        values = np.arange(256)
        tables = [(values * factors[0]) % 180, *(np.clip(values * factor, 0, 255) for factor in factors[1:])]
        planes = cv2.split(cv2.cvtColor(image, cv2.COLOR_BGR2HSV))
        planes = [cv2.LUT(plane, table.astype(np.uint8)) for plane, table in zip(planes, tables)]
        return cv2.cvtColor(cv2.merge(planes), cv2.COLOR_HSV2BGR)

    def __getitem__(self, index):
        labels = self.labels[index]
        if self.augments:
            random = np.random.default_rng()
            image, boxes = self.perspective(*self.mosaic(index, random), random)
            sides, centres = boxes[:, 3:] - boxes[:, 1:3], (boxes[:, 3:] + boxes[:, 1:3]) / 2
            labels = np.column_stack([boxes[:, 0], centres / self.size, sides / self.size]).astype(np.float32)
            image = self.jitter(image, random)
            if random.random() < FLIP:
                image = np.fliplr(image)
                labels[:, 1] = 1 - labels[:, 1]
        else:
            image = self.image(index)
        return torch.from_numpy(np.ascontiguousarray(image[..., ::-1].transpose(2, 0, 1))), torch.from_numpy(labels)


def collate(samples):
    """Images, and rows of image, class, centre, width and height."""
    images, labels = zip(*samples)
    rows = [torch.cat([torch.full((len(l), 1), float(index)), l], 1) for index, l in enumerate(labels)]
    return torch.stack(images), torch.cat(rows)


def end_with_parent(_):
    """PR_SET_PDEATHSIG: a loader that is stopped would not notice that its parent has ended."""
    ctypes.CDLL(None).prctl(1, 9)


class Epochs:
    """Endless mini-batches of shuffled epochs: read in line, or by `loaders` processes."""

    def __init__(self, samples, batch, loaders):
        self.loader = torch.utils.data.DataLoader(
            samples, batch, shuffle=True, num_workers=loaders, persistent_workers=loaders > 0, collate_fn=collate,
            worker_init_fn=end_with_parent)

    def __iter__(self):
        while True:
            yield from self.loader
