"""The twelve networks in PyTorch: an independent reference for the compiled C.

Written from a description of the architectures alone. The module trees are laid out so that the keys of state_dict()
are those of the published checkpoints.

    net = build("yolov5-spd-n")              # or build(name, classes)
    net.eval()(x)                            # YOLO: (B, rows, 5 + classes), decoded; ResNet: (B, classes), logits
    net.train()(x)                           # YOLO: three raw levels (B, 3, ny, nx, 5 + classes); ResNet: logits

Running this file builds every network and checks its entry and parameter counts.
"""
import math
from pathlib import Path

import torch
from torch import nn

YOLO_SIZES = {"n": (0.33, 0.25), "s": (0.33, 0.50), "m": (0.67, 0.75), "l": (1.0, 1.0)}  # depth, width
YOLO_ANCHORS = (  # (w, h) in pixels, levels P3, P4, P5
    ((10, 13), (16, 30), (33, 23)),
    ((30, 61), (62, 45), (59, 119)),
    ((116, 90), (156, 198), (373, 326)),
)
YOLO_STRIDES = (8, 16, 32)


# Blocks -------------------------------------------------------------------------------------------------------------

class SPD(nn.Module):
    """Space to depth, B×C×H×W → B×4C×H/2×W/2: out[(r + 2q)·C + c, y, x] = in[c, 2y + r, 2x + q]."""

    def forward(self, x):
        if x.shape[-2] % 2 or x.shape[-1] % 2:
            raise ValueError(f"space to depth needs even sides, not {x.shape[-2]}×{x.shape[-1]}")
        return torch.cat([x[..., r::2, q::2] for q in (0, 1) for r in (0, 1)], 1)


class Conv(nn.Module):
    """SiLU(BN(conv(x))), SiLU(v) = v·σ(v); no convolution bias; padding ⌊k/2⌋ unless given."""

    def __init__(self, c1, c2, k=1, s=1, p=None):
        super().__init__()
        self.conv = nn.Conv2d(c1, c2, k, s, k // 2 if p is None else p, bias=False)
        self.bn = nn.BatchNorm2d(c2)
        self.act = nn.SiLU()

    def forward(self, x):
        return self.act(self.bn(self.conv(x)))


class Focus(nn.Module):
    """SPD, then Conv."""

    def __init__(self, c1, c2, k):
        super().__init__()
        self.spd = SPD()
        self.conv = Conv(4 * c1, c2, k)

    def forward(self, x):
        return self.conv(self.spd(x))


class Bottleneck(nn.Module):
    """cv2(cv1(x)), 1×1 then 3×3, plus x where there is a shortcut. Channels stay the same."""

    def __init__(self, c, shortcut):
        super().__init__()
        self.cv1 = Conv(c, c, 1)
        self.cv2 = Conv(c, c, 3)
        self.shortcut = shortcut

    def forward(self, x):
        y = self.cv2(self.cv1(x))
        return x + y if self.shortcut else y


class C3(nn.Module):
    """cv3(concat[m(cv1 x), cv2 x]), m = n Bottlenecks of c2/2 channels."""

    def __init__(self, c1, c2, n, shortcut=True):
        super().__init__()
        c = c2 // 2
        self.cv1 = Conv(c1, c)
        self.cv2 = Conv(c1, c)
        self.cv3 = Conv(2 * c, c2)
        self.m = nn.Sequential(*(Bottleneck(c, shortcut) for _ in range(n)))

    def forward(self, x):
        return self.cv3(torch.cat([self.m(self.cv1(x)), self.cv2(x)], 1))


class SPPF(nn.Module):
    """cv2(concat[x, pool x, pool² x, pool³ x]) of x = cv1(input); pool = 5×5 maximum, stride 1, padding −∞."""

    def __init__(self, c1, c2):
        super().__init__()
        c = c1 // 2
        self.cv1 = Conv(c1, c)
        self.cv2 = Conv(4 * c, c2)
        self.pool = nn.MaxPool2d(5, 1, 2)

    def forward(self, x):
        parts = [self.cv1(x)]
        for _ in range(3):
            parts.append(self.pool(parts[-1]))
        return self.cv2(torch.cat(parts, 1))


class Concat(nn.Module):
    def forward(self, xs):
        return torch.cat(xs, 1)


class Detect(nn.Module):
    """One biased 1×1 convolution per level; channel a·(nc + 5) + k, k = x, y, w, h, objectness, classes.

    With s = σ(raw), cell (gx, gy), stride S and anchor A (in cells, as `anchors` keeps it):
        x = (2·s₀ − 0.5 + gx)·S    y = (2·s₁ − 0.5 + gy)·S    w = (2·s₂)²·A_w·S    h = (2·s₃)²·A_h·S
    Rows: level, then anchor, then y, then x.
    """

    def __init__(self, classes, channels):
        super().__init__()
        self.outputs = classes + 5
        anchors = torch.tensor(YOLO_ANCHORS, dtype=torch.float32)
        self.register_buffer("anchors", anchors / torch.tensor(YOLO_STRIDES).view(3, 1, 1))
        self.m = nn.ModuleList(nn.Conv2d(c, 3 * self.outputs, 1) for c in channels)

    def forward(self, xs):
        raw = []
        for conv, x in zip(self.m, xs):
            b, _, ny, nx = x.shape
            raw.append(conv(x).view(b, 3, self.outputs, ny, nx).permute(0, 1, 3, 4, 2))
        if self.training:
            return raw
        return torch.cat([self.decode(level, r) for level, r in enumerate(raw)], 1)

    def decode(self, level, raw):
        b, _, ny, nx, _ = raw.shape
        stride = YOLO_STRIDES[level]
        gy, gx = torch.meshgrid(torch.arange(ny, dtype=raw.dtype, device=raw.device),
                                torch.arange(nx, dtype=raw.dtype, device=raw.device), indexing="ij")
        s = raw.sigmoid()
        xy = (2 * s[..., 0:2] - 0.5 + torch.stack([gx, gy], -1)) * stride
        wh = (2 * s[..., 2:4]) ** 2 * (self.anchors[level] * stride).view(3, 1, 1, 2)
        return torch.cat([xy, wh, s[..., 4:]], -1).reshape(b, -1, self.outputs)


# YOLOv5 and YOLOv5-SPD ----------------------------------------------------------------------------------------------

class YOLO(nn.Module):
    """YOLOv5 v6.0, or with spd=True the variant in which every strided convolution is Conv(stride 1) → SPD."""

    def __init__(self, size, spd, classes):
        super().__init__()
        gd, gw = YOLO_SIZES[size]
        c64, c128, c256, c512, c1024 = (math.ceil(c * gw / 8) * 8 for c in (64, 128, 256, 512, 1024))
        n3, n6, n9 = (max(round(n * gd), 1) for n in (3, 6, 9))
        self.model = nn.ModuleList()
        self.sources = []  # per layer: index of its input, or a list of them
        self.width = []    # per layer: output channels

        def add(layer, channels, source=None):
            self.sources.append(len(self.model) - 1 if source is None else source)
            self.model.append(layer)
            self.width.append(channels)
            return len(self.model) - 1

        def conv(c2, k):
            return add(Conv(self.width[-1], c2, k), c2)

        def down(c2):  # halves the sides
            if not spd:
                return add(Conv(self.width[-1], c2, 3, 2), c2)
            add(Conv(self.width[-1], c2, 3, 1), c2)
            return add(SPD(), 4 * c2)

        def c3(c2, n, shortcut=True):
            return add(C3(self.width[-1], c2, n, shortcut), c2)

        def up():
            return add(nn.Upsample(scale_factor=2, mode="nearest"), self.width[-1])

        def concat(other):
            last = len(self.model) - 1
            return add(Concat(), self.width[last] + self.width[other], [last, other])

        # Backbone.
        add(Focus(3, c64, 3) if spd else Conv(3, c64, 6, 2, 2), c64)
        down(c128)
        c3(c128, n3)
        down(c256)
        b3 = c3(c256, n6)
        down(c512)
        b4 = c3(c512, n9)
        down(c1024)
        c3(c1024, n3)
        add(SPPF(c1024, c1024), c1024)
        # Down the pyramid.
        h5 = conv(c512, 1)
        up()
        concat(b4)
        c3(c512, n3, False)
        h4 = conv(c256, 1)
        up()
        concat(b3)
        p3 = c3(c256, n3, False)
        # And up again.
        down(c256)
        concat(h4)
        p4 = c3(c512, n3, False)
        down(c512)
        concat(h5)
        p5 = c3(c1024, n3, False)
        levels = [p3, p4, p5]
        add(Detect(classes, [self.width[i] for i in levels]), None, levels)
        assert len(self.model) == (31 if spd else 25)
        assert (levels, b3, b4, h4, h5) == (([21, 25, 29], 6, 9, 18, 14) if spd else ([17, 20, 23], 4, 6, 14, 10))

        for m in self.modules():
            if isinstance(m, nn.BatchNorm2d):
                m.eps, m.momentum = 1e-3, 0.03

    def forward(self, x):
        if x.shape[-2] % 32 or x.shape[-1] % 32:
            raise ValueError(f"sides must be multiples of 32, not {x.shape[-2]}×{x.shape[-1]}")
        outputs = []
        for layer, source in zip(self.model, self.sources):
            if isinstance(source, list):
                x = [outputs[i] for i in source]
            x = layer(x)
            outputs.append(x)
        return x


# ResNet and ResNet-SPD ----------------------------------------------------------------------------------------------

class Residual(nn.Module):
    """ReLU(residual(x) + shortcut(x)); the shortcut is the identity or a 1×1 convolution, strided, and BN."""

    def __init__(self, c1, c2, stride, layers):
        super().__init__()
        self.residual_function = nn.Sequential(*layers)
        self.shortcut = nn.Sequential()
        if stride != 1 or c1 != c2:
            self.shortcut = nn.Sequential(nn.Conv2d(c1, c2, 1, stride, bias=False), nn.BatchNorm2d(c2))

    def forward(self, x):
        return torch.relu(self.residual_function(x) + self.shortcut(x))


def halving(c1, c, stride, spd):
    """A 3×3 convolution of the given stride, as a list of layers, and its output channels.

    The SPD form of stride 2 is a convolution of stride 1 and then SPD, which makes 4c channels of c.
    """
    if stride == 2 and spd:
        return [nn.Conv2d(c1, c, 3, 1, 1, bias=False), SPD()], 4 * c
    return [nn.Conv2d(c1, c, 3, stride, 1, bias=False)], c


class BasicBlock(Residual):
    """3×3, BN, ReLU, 3×3, BN."""
    expansion = 1

    def __init__(self, c1, c, stride, spd):
        first, c_mid = halving(c1, c, stride, spd)
        super().__init__(c1, c, stride, [
            *first, nn.BatchNorm2d(c_mid), nn.ReLU(),
            nn.Conv2d(c_mid, c, 3, 1, 1, bias=False), nn.BatchNorm2d(c)])


class BottleNeck(Residual):
    """1×1, BN, ReLU, 3×3, BN, ReLU, 1×1 to 4c channels, BN."""
    expansion = 4

    def __init__(self, c1, c, stride, spd):
        middle, c_mid = halving(c, c, stride, spd)
        super().__init__(c1, 4 * c, stride, [
            nn.Conv2d(c1, c, 1, bias=False), nn.BatchNorm2d(c), nn.ReLU(),
            *middle, nn.BatchNorm2d(c_mid), nn.ReLU(),
            nn.Conv2d(c_mid, 4 * c, 1, bias=False), nn.BatchNorm2d(4 * c)])


class ResNet(nn.Module):
    """Stem (SPD: halves the sides, SiLU; plain: 3×3 stride 1, ReLU), four stages, mean over the map, fc."""

    def __init__(self, block, counts, spd, classes):
        super().__init__()
        self.spd = spd
        if spd:
            self.conv1 = Focus(3, 64, 1)
        else:
            self.conv1 = nn.Sequential(nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU())
        c1 = 64
        for stage, (c, n) in enumerate(zip((64, 128, 256, 512), counts)):
            blocks = []
            for i in range(n):
                blocks.append(block(c1, c, 2 if stage > 0 and i == 0 else 1, spd))
                c1 = c * block.expansion
            setattr(self, f"conv{stage + 2}_x", nn.Sequential(*blocks))
        self.fc = nn.Linear(c1, classes)

    def forward(self, x):
        x = self.conv1(x)
        x = self.conv5_x(self.conv4_x(self.conv3_x(self.conv2_x(x))))
        return self.fc(x.mean((2, 3)))


class Activations(nn.Sequential):
    """models/activations.swift: a convolution, a normalisation and a function after the other."""

    def __init__(self, classes):
        functions = [
            nn.ReLU(), nn.LeakyReLU(0.2), nn.ReLU6(), nn.ELU(0.7), nn.ELU(), nn.SiLU(), nn.Mish(), nn.GELU(),
            nn.GELU(approximate="tanh"), nn.Sigmoid(), nn.Tanh(), nn.Hardsigmoid(), nn.Hardswish(), QuickGELU(),
            nn.PReLU(), nn.PReLU(16)]
        layers = [nn.Sequential(nn.Conv2d(16 if i else 3, 16, 3, 1, 1), nn.BatchNorm2d(16), f)
                  for i, f in enumerate(functions)]
        super().__init__(*layers, nn.AdaptiveAvgPool2d(1), nn.Linear(16, classes))

    def forward(self, x):
        *others, last = self
        for layer in others:
            x = layer(x)
        return last(x.flatten(1))


class QuickGELU(nn.Module):
    def forward(self, x):
        return x * torch.sigmoid(1.702 * x)


# The catalogue ------------------------------------------------------------------------------------------------------

YOLO_NAMES = [f"yolov5{v}{s}" for v in ("-spd-", "") for s in YOLO_SIZES]
RESNETS = {"resnet18": (BasicBlock, (2, 2, 2, 2)), "resnet50": (BottleNeck, (3, 4, 6, 3))}
NAMES = YOLO_NAMES + [r + v for v in ("-spd", "") for r in RESNETS]
MODELS = Path(__file__).resolve().parent / "models"
OWN = {str(MODELS / "activations.swift"): Activations}  # networks of model files, by their paths

PARAMETERS = {  # (name, classes) → parameters, as published or measured on the authors' modules
    ("yolov5-spd-n", 80): 2_256_157, ("yolov5-spd-s", 80): 8_771_389,
    ("yolov5-spd-m", 80): 24_646_557, ("yolov5-spd-l", 80): 52_707_709,
    ("yolov5n", 80): 1_872_157, ("yolov5s", 80): 7_235_389,
    ("yolov5m", 80): 21_190_557, ("yolov5l", 80): 46_563_709,
    ("resnet18-spd", 10): 20_468_106, ("resnet18-spd", 100): 20_514_276, ("resnet18-spd", 200): 20_565_576,
    ("resnet50-spd", 10): 27_654_026, ("resnet50-spd", 100): 27_838_436, ("resnet50-spd", 200): 28_043_336,
    ("resnet18", 10): 11_173_962, ("resnet18", 100): 11_220_132, ("resnet18", 200): 11_271_432,
    ("resnet50", 10): 23_520_842, ("resnet50", 100): 23_705_252, ("resnet50", 200): 23_910_152,
}
YOLO_ENTRIES = {"n": 349, "s": 349, "m": 481, "l": 613}
RESNET_ENTRIES = {"resnet18": 122, "resnet50": 320}


def default_classes(name):
    return 80 if name in YOLO_NAMES else 200 if name.startswith("resnet18") else 10


def build(name, classes=None):
    """The named network with PyTorch's default initialisation, its state checked against the published counts."""
    if name in OWN:
        return OWN[name](classes or 10)
    if name not in NAMES:
        raise ValueError(f"no network is called {name!r}; there are {', '.join(NAMES)}")
    classes = default_classes(name) if classes is None else classes
    spd = "-spd" in name
    if name in YOLO_NAMES:
        net = YOLO(name[-1], spd, classes)
        entries = YOLO_ENTRIES[name[-1]]
    else:
        base = name.removesuffix("-spd")
        net = ResNet(*RESNETS[base], spd, classes)
        entries = RESNET_ENTRIES[base]
    found = len(net.state_dict())
    assert found == entries, f"{name}: {found} state entries, not {entries}"
    parameters = sum(p.numel() for p in net.parameters())
    expected = PARAMETERS.get((name, classes), parameters)
    assert parameters == expected, f"{name}: {parameters} parameters, not {expected}"
    return net


if __name__ == "__main__":
    for name, classes in PARAMETERS:
        net = build(name, classes)
        print(f"{name:14} {classes:4} classes {len(net.state_dict()):4} entries "
              f"{sum(p.numel() for p in net.parameters()):10,} parameters")
