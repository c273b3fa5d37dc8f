"""Evaluate a network on the synthetic weights and input.

    python reference.py yolov5-spd-n --size 320x320 --batch 1 --output y.npy
    python reference.py resnet50-spd --classes 100 --save-weights w.safetensors

The weights are float32; the network is evaluated in float64 unless --float32 is given; the result is stored as float32.
"""
import argparse

import numpy as np
import torch

import networks
import synthetic


def evaluate(name, classes, b, h, w, dtype=torch.float64):
    net = synthetic.fill(networks.build(name, classes)).eval().to(dtype)
    with torch.inference_mode():
        return net(synthetic.synthetic_input(b, h, w).to(dtype)).numpy()


def save_weights(net, path):
    state = {key: t.contiguous() for key, t in net.state_dict().items()}
    if path.endswith(".safetensors"):
        from safetensors.torch import save_file
        save_file(state, path)
    elif path.endswith(".pt"):
        torch.save(state, path)
    else:
        raise SystemExit(f"{path}: neither .safetensors nor .pt")


def size(text):
    h, _, w = text.lower().partition("x")
    return int(h), int(w or h)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("model", choices=[*networks.NAMES, *networks.OWN], metavar="MODEL")
    p.add_argument("--size", type=size, default=(64, 64), metavar="HxW", help="default 64x64")
    p.add_argument("--batch", type=int, default=1, metavar="N")
    p.add_argument("--classes", type=int, metavar="N", help="default: YOLO 80, ResNet-18 200, ResNet-50 10")
    p.add_argument("--output", metavar="Y.npy")
    p.add_argument("--save-weights", metavar="X", help="write the synthetic state, float32, .safetensors or .pt")
    precision = p.add_mutually_exclusive_group()
    precision.add_argument("--float64", dest="dtype", action="store_const", const=torch.float64, help="the default")
    precision.add_argument("--float32", dest="dtype", action="store_const", const=torch.float32)
    p.add_argument("--threads", type=int, default=1, metavar="N")
    a = p.parse_args()
    if not a.output and not a.save_weights:
        p.error("nothing to do: give --output or --save-weights")

    torch.set_num_threads(a.threads)
    if a.save_weights:
        save_weights(synthetic.fill(networks.build(a.model, a.classes)), a.save_weights)
    if a.output:
        y = evaluate(a.model, a.classes, a.batch, *a.size, a.dtype or torch.float64).astype(np.float32)
        np.save(a.output, y)
        print(f"{a.output}: {y.shape}")


if __name__ == "__main__":
    main()
