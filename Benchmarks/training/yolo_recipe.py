"""YOLOv5's recipe in PyTorch: initial weights, gains of the loss, parameter groups, schedule."""
import math

import networks
import torch

NOMINAL, MOMENTUM, DECAY, RATE, FINAL = 64, 0.937, 5e-4, 0.01, 0.1
WARMUP_EPOCHS, WARMUP_MOMENTUM, WARMUP_BIAS_RATE = 3, 0.8, 0.1
AVERAGE, RAMP = 0.9999, 2000


def initial(model, classes, seed=0):
    """The network with PyTorch's initialisation, and Detect's biases near the frequencies of objects and classes."""
    torch.manual_seed(seed)
    net = networks.build(model, classes)
    with torch.no_grad():
        for conv, stride in zip(net.model[-1].m, networks.YOLO_STRIDES):
            bias = conv.bias.view(3, -1)
            bias[:, 4] += math.log(8 / (640 / stride) ** 2)
            bias[:, 5:] += math.log(0.6 / (classes - 0.99))
    return net


def gains(size, classes):
    """Of the box, objectness and class loss."""
    return 0.05, (size / 640) ** 2, 0.5 * classes / 80


def accumulation(batch):
    return max(round(NOMINAL / batch), 1)


def optimiser(net, batch, **options):
    """SGD of three groups: weights of normalisations, all others, which decay, and biases."""
    norms, weights, biases = [], [], []
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            norms.append(module.weight)
            biases.append(module.bias)
        elif isinstance(module, torch.nn.Conv2d):
            weights.append(module.weight)
            biases += [] if module.bias is None else [module.bias]
    decay = DECAY * batch * accumulation(batch) / NOMINAL
    groups = [dict(params=norms), dict(params=weights, weight_decay=decay), dict(params=biases)]
    return torch.optim.SGD(groups, lr=RATE, momentum=MOMENTUM, nesterov=True, **options)


def schedule(done, epoch, epochs, warmup, batch):
    """Rates of weights and biases, momentum, and mini-batches of a step, after `done` mini-batches."""
    target = RATE * ((1 - math.cos(math.pi * epoch / epochs)) / 2 * (FINAL - 1) + 1)
    if done > warmup:
        return target, target, MOMENTUM, accumulation(batch)

    def between(start, end):
        return start + (end - start) * done / warmup

    return (between(0, target), between(WARMUP_BIAS_RATE, target), between(WARMUP_MOMENTUM, MOMENTUM),
            max(1, round(between(1, accumulation(batch)))))


def update(optimiser, rate, bias_rate, momentum):
    for group, value in zip(optimiser.param_groups, (rate, rate, bias_rate)):
        group.update(lr=value, momentum=momentum)
    optimiser.step()
    optimiser.zero_grad()


class Average:
    """The EMA of every floating-point entry of a network's state."""

    def __init__(self, net):
        self.live = [value for value in net.state_dict().values() if value.is_floating_point()]
        self.values = [value.clone() for value in self.live]
        self.updates = 0

    @torch.no_grad()
    def update(self):
        self.updates += 1
        decay = AVERAGE * (1 - math.exp(-self.updates / RAMP))
        torch._foreach_lerp_(self.values, self.live, 1 - decay)
