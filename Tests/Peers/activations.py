#!/usr/bin/env python3
"""Records PyTorch's activations and their derivatives, in double precision, at numbers that include every kink.

    activations.py OUTPUT.json
"""
import json
import pathlib
import sys

import torch
from torch import nn

CASES = [
    ({"relu": {}}, nn.ReLU()), ({"leakyReLU": {"slope": 0.1}}, nn.LeakyReLU(0.1)), ({"relu6": {}}, nn.ReLU6()),
    ({"elu": {"alpha": 1}}, nn.ELU()), ({"elu": {"alpha": 0.7}}, nn.ELU(0.7)), ({"silu": {}}, nn.SiLU()),
    ({"mish": {}}, nn.Mish()), ({"gelu": {}}, nn.GELU()), ({"geluTanh": {}}, nn.GELU(approximate="tanh")),
    ({"sigmoid": {}}, nn.Sigmoid()), ({"tanh": {}}, nn.Tanh()), ({"hardsigmoid": {}}, nn.Hardsigmoid()),
    ({"hardswish": {}}, nn.Hardswish()),
]
X = [-30, -6.5, -3, -2.999, -1.25, -0.5, -1e-3, 0, 1e-3, 0.3, 0.75, 1, 2.999, 4.5, 6, 7, 30]


def main():
    cases = []
    for activation, function in CASES:
        x = torch.tensor(X, dtype=torch.float64, requires_grad=True)
        y = function(x)
        y.sum().backward()
        cases.append({"activation": activation, "values": y.tolist(), "slopes": x.grad.tolist()})
    pathlib.Path(sys.argv[1]).write_text(json.dumps({"x": X, "cases": cases}) + "\n")


main()
