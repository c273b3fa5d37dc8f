"""Makes weights and inputs by a formula, so that any program can reproduce a case from tensor names alone.

uniform(name, n), n float32 numbers in [0, 1), arithmetic modulo 2⁶⁴:
    seed = FNV-1a of the UTF-8 bytes of name
    s_i  = seed + i·0x9E3779B97F4A7C15,  i = 1…n
    z    = (s ^ s>>30)·0xBF58476D1CE4E5B9;  z = (z ^ z>>27)·0x94D049BB133111EB;  z = z ^ z>>31      (SplitMix64)
    u    = (z >> 40) / 2²⁴

Every tensor takes u = uniform(its state-dict key, count), row-major, computed in float64 and rounded to float32:
    BatchNorm weight, running_var      0.5 + u
    BatchNorm bias, running_mean       0.4·u − 0.2
    convolution and linear weight      (2u − 1)·√(3 / fan_in)·1.2,  fan_in = elements of one output channel's filter
    convolution and linear bias        0.2·u − 0.1
    PReLU weight                       0.5·u
Other buffers (anchors, num_batches_tracked) stay as built. The input is uniform("input", B·3·H·W).
"""
import math

import numpy as np
import torch
from torch import nn


def fnv1a(name):
    h = 0xCBF29CE484222325
    for byte in name.encode():
        h = (h ^ byte) * 0x100000001B3 % 2**64
    return h


def uniform(name, n):
    u64 = np.uint64
    z = np.arange(1, n + 1, dtype=u64)  # array arithmetic wraps at 2⁶⁴
    z *= u64(0x9E3779B97F4A7C15)
    z += u64(fnv1a(name))
    z ^= z >> u64(30)
    z *= u64(0xBF58476D1CE4E5B9)
    z ^= z >> u64(27)
    z *= u64(0x94D049BB133111EB)
    z ^= z >> u64(31)
    return ((z >> u64(40)).astype(np.float64) / 2**24).astype(np.float32)


def fill(module):
    """Give every tensor of the module its formula values; returns the module."""
    with torch.no_grad():
        for prefix, m in module.named_modules():
            if isinstance(m, nn.BatchNorm2d):
                rules = {"weight": lambda u: 0.5 + u, "running_var": lambda u: 0.5 + u,
                         "bias": lambda u: 0.4 * u - 0.2, "running_mean": lambda u: 0.4 * u - 0.2}
            elif isinstance(m, (nn.Conv2d, nn.Linear)):
                limit = math.sqrt(3 / m.weight[0].numel()) * 1.2
                rules = {"weight": lambda u, limit=limit: (2 * u - 1) * limit, "bias": lambda u: 0.2 * u - 0.1}
            elif isinstance(m, nn.PReLU):
                rules = {"weight": lambda u: 0.5 * u}
            else:
                continue
            for key, rule in rules.items():
                t = getattr(m, key)
                if t is not None:
                    u = uniform(f"{prefix}.{key}", t.numel()).astype(np.float64)
                    t.copy_(torch.from_numpy(rule(u).astype(np.float32)).view(t.shape))
    return module


def synthetic_input(b, h, w):
    return torch.from_numpy(uniform("input", b * 3 * h * w)).view(b, 3, h, w)


assert fnv1a("input") == 0x1EBBAE8F5810B65B
assert uniform("input", 4).tolist() == [
    0.09781831502914429, 0.6523603796958923, 0.20362424850463867, 0.2744446396827698]
