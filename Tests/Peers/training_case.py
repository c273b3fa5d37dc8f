#!/usr/bin/env python3
"""Writes a training case: SGD steps of PyTorch in float64 on synthetic weights and input, and the error of its float32.

`spdc verify MODEL --against CASE.json` runs the same. Losses and gradients are those before each step, `after` the L2 norm of
every state entry behind the last one; the YOLO loss is that of Benchmarks/training.
"""
import argparse
import json
import pathlib
import sys

import numpy as np
import torch

import networks
import synthetic

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "Benchmarks" / "training"))
import yolo_loss  # noqa: E402

OPTIMIZER = {"lr": 1e-3, "momentum": 0.9, "weight_decay": 5e-4}
HYP = {"box": yolo_loss.BOX, "cls": yolo_loss.CLASSES, "obj": yolo_loss.OBJECTNESS, "cls_pw": 1.0, "obj_pw": 1.0,
       "anchor_t": yolo_loss.ANCHOR_LIMIT, "fl_gamma": 0.0}
FLOOR = 1e-4  # norms below this share of the largest count as that


def run(model, size, batch, dtype, labels, targets, steps, settings):
    """Losses, gradients of the first step by parameter, and the state after the last."""
    net = synthetic.fill(networks.build(model)).to(dtype).train()
    images = torch.from_numpy(synthetic.uniform("input", batch * 3 * size * size)).reshape(batch, 3, size, size).to(dtype)
    optimizer = torch.optim.SGD(net.parameters(), **settings)
    losses, gradients = [], {}
    for step in range(steps):
        optimizer.zero_grad()
        if targets is None:
            loss = torch.nn.functional.cross_entropy(net(images), torch.tensor(labels))
        else:
            loss = yolo_loss.loss(net(images), torch.tensor(targets, dtype=dtype), net.model[-1].anchors.to(dtype))
        loss.backward()
        losses.append(loss.item())
        if step == 0:
            gradients = {n: p.grad.double().flatten().clone() for n, p in net.named_parameters()}
        optimizer.step()
    after = {n: t.double().norm().item() for n, t in net.state_dict().items()
             if not n.endswith(("num_batches_tracked", "anchors"))}
    return losses, gradients, after


def measurements(losses, gradients, after):
    steps = [{"loss": loss, "items": []} for loss in losses]
    steps[0]["grad_l2"] = {n: g.norm().item() for n, g in gradients.items()}
    steps[0]["grad_head"] = {n: g[:4].tolist() for n, g in gradients.items()}
    return {"steps": steps, "after": after}


def deviation(exact, rough):
    """The maximum relative errors of float32."""
    (losses, gradients, after), (losses32, gradients32, after32) = exact, rough
    floor = FLOOR * max(g.norm() for g in gradients.values())
    norms = {n: max(g.norm(), floor) for n, g in gradients.items()}
    return {
        "loss": max(abs(a - b) / max(abs(a), 0.1) for a, b in zip(losses, losses32)),
        "grad_l2": max(abs(g.norm() - gradients32[n].norm()) / norms[n] for n, g in gradients.items()).item(),
        "grad_head": max((g[:4] - gradients32[n][:4]).abs().max() / norms[n] for n, g in gradients.items()).item(),
        "after": max(abs(v - after32[n]) / max(abs(v), 1e-12) for n, v in after.items())}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("model", choices=[*networks.NAMES, *networks.OWN], metavar="MODEL")
    p.add_argument("--size", type=int, default=64)
    p.add_argument("--batch", type=int, default=4)
    p.add_argument("--steps", type=int, default=3)
    p.add_argument("--recipe", action="store_true", help="YOLOv5's optimiser: lr 0.01, momentum 0.937, Nesterov")
    p.add_argument("--output", required=True, metavar="CASE.json")
    options = p.parse_args()
    model, size, batch = options.model, options.size, options.batch
    settings = {**OPTIMIZER, "nesterov": False}
    if options.recipe:
        settings = {"lr": 0.01, "momentum": 0.937, "weight_decay": 5e-4, "nesterov": True}
    case = {"model": model, "hw": [size, size], "batch": batch, "optimizer": settings}
    labels = targets = None
    if model.startswith("yolo"):
        u = synthetic.uniform("targets", batch * 6 * 5).reshape(-1, 5).astype(np.float64)
        image = np.repeat(np.arange(batch), 6)
        targets = np.column_stack([image, np.floor(u[:, 0] * 80), u[:, 1:3], 0.05 + 0.4 * u[:, 3:]]).tolist()
        case.update(targets=targets, hyp=HYP)
    else:
        labels = [index * 7 % 10 for index in range(batch)]
        case["labels"] = labels
    exact = run(model, size, batch, torch.float64, labels, targets, options.steps, settings)
    case["float32_deviation"] = deviation(exact, run(model, size, batch, torch.float32, labels, targets,
                                                     options.steps, settings))
    case.update(measurements(*exact))
    pathlib.Path(options.output).write_text(json.dumps(case) + "\n")


main()
