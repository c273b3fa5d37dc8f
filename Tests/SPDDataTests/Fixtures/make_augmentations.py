"""Records torchvision's transforms of an image, for AugmentationTests.

    python3 make_augmentations.py > augmentations.json

Written with torch 2.13, torchvision 0.28 and Pillow 13. The random numbers are drawn by SplitMix64 as the Swift side
documents it, written here once more; the images come from a formula. Results are FNV-1a sums of their bytes.
"""
import json

import numpy
import torch
import torchvision.transforms.functional as F
from PIL import Image
from torchvision.transforms import InterpolationMode

MASK = (1 << 64) - 1


def picture(width, height, seed):
    values = [((i * 2654435761 + seed * 40503) & 0xFFFFFFFF) >> 13 & 255 for i in range(width * height * 3)]
    return Image.fromarray(numpy.array(values, dtype=numpy.uint8).reshape(height, width, 3))


def fnv(data):
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 & MASK
    return "%016x" % value


class SplitMix64:
    def __init__(self, purpose, *words):
        self.state = purpose
        for word in words:
            self.state = self.mixed(self.state + 0x9E3779B97F4A7C15) ^ word
        self.state = self.mixed(self.state)

    @staticmethod
    def mixed(z):
        z &= MASK
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & MASK
        z = (z ^ z >> 27) * 0x94D049BB133111EB & MASK
        return z ^ z >> 31

    def next(self):
        self.state = self.state + 0x9E3779B97F4A7C15 & MASK
        return self.mixed(self.state)

    def uniform(self):
        return (self.next() >> 11) / 2 ** 53

    def below(self, bound):
        return self.next() * bound >> 64


def rotate(image, angle):
    return F.rotate(image, angle, interpolation=InterpolationMode.NEAREST, expand=False, center=None, fill=0)


def flip(image, random, turn):
    return turn(image) if random.uniform() < 0.5 else image


def crop(image, random, padding):
    width, height = image.size
    top, left = random.below(2 * padding + 1), random.below(2 * padding + 1)
    return F.crop(F.pad(image, padding), top, left, height, width)


def cifar(image, random):
    image = flip(crop(image, random, 4), random, F.hflip)
    image = rotate(image, -15 + 30 * random.uniform())
    mean, std = [.5070751592, .4865488733, .4409178433], [.2673342859, .2564384629, .2761504713]
    return F.normalize(F.to_tensor(image), mean, std)


def tiny_imagenet(image, random):
    image = flip(crop(flip(image, random, F.hflip), random, 4), random, F.vflip)
    tensor = torch.from_numpy(numpy.array(image)).permute(2, 0, 1).float()
    return F.normalize(tensor, [122.4786, 114.2755, 101.3963], [70.4924, 68.5679, 71.8127])


rotations = []
for width, height in ((32, 32), (64, 64), (31, 20)):
    for angle in (-15, -14.03125, -7.3, -1.5, -0.01, 0, 0.7, 3.1, 9.87654321, 12.3, 15):
        data = rotate(picture(width, height, 1), angle).tobytes()
        rotations.append({"width": width, "height": height, "degrees": angle, "sum": fnv(data)})

crops = []
for top in (0, 1, 4, 8):
    for left in (0, 3, 8):
        data = F.crop(F.pad(picture(19, 13, 2), 4), top, left, 13, 19).tobytes()
        crops.append({"top": top - 4, "left": left - 4, "sum": fnv(data)})

runs = []
for name, side, function in (("cifar", 32, cifar), ("tinyImageNet", 64, tiny_imagenet)):
    for seed, epoch, index in ((0, 0, 0), (0, 0, 1), (0, 1, 0), (7, 3, 49_999), (2 ** 64 - 1, 199, 5), (1, 0, 2), (3, 2, 1)):
        tensor = function(picture(side, side, index), SplitMix64(2, seed, epoch, index)).contiguous()
        runs.append({
            "preset": name, "seed": str(seed), "epoch": epoch, "index": index, "sum": fnv(tensor.numpy().tobytes()),
            "mean": tensor.double().mean().item(), "first": tensor.flatten()[:4].tolist(),
        })

words = SplitMix64(4, 1, 2, 3)
print(json.dumps({
    "words": ["%016x" % words.next() for _ in range(4)], "below": [words.below(10) for _ in range(8)],
    "horizontal": fnv(F.hflip(picture(19, 13, 3)).tobytes()), "vertical": fnv(F.vflip(picture(19, 13, 3)).tobytes()),
    "rotations": rotations, "crops": crops, "runs": runs,
}, indent=1))
