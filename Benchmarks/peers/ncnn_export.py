"""Writes a network as ncnn's .param and .bin: python ncnn_export.py MODEL --size 640x640 --output STEM

pnnx converts a traced PyTorch module. Two parts are first rewritten without changing the function: space-to-depth becomes
pixel-unshuffle with permuted weights (strided slices are not converted), and box decoding becomes a few operations with
constants on three-dimensional arrays, since ncnn has no batch axis.
"""
import argparse
import os
import pathlib

import torch
from torch import nn

import networks
import reorder
import synthetic
from reference import size


class Decode(nn.Module):
    """networks.Detect for one image: with s = σ(raw), x and y are 2·S·s + S·(cell − 0.5), w and h are 4·A·S·s²."""

    def __init__(self, detect, h, w):
        super().__init__()
        self.m, self.outputs = detect.m, detect.outputs
        for level, stride in enumerate(networks.YOLO_STRIDES):
            ny, nx = h // stride, w // stride
            gy, gx = torch.meshgrid(torch.arange(ny).float(), torch.arange(nx).float(), indexing="ij")
            grid = (torch.stack([gx, gy], -1).reshape(ny * nx, 2) - 0.5) * stride
            size = 4 * detect.anchors[level] * stride
            self.register_buffer(f"grid{level}", grid.expand(3, ny * nx, 2).contiguous())
            self.register_buffer(f"size{level}", size.view(3, 1, 2).expand(3, ny * nx, 2).contiguous())

    def forward(self, xs):
        rows = []
        for level, (conv, x) in enumerate(zip(self.m, xs)):
            grid, size = getattr(self, f"grid{level}"), getattr(self, f"size{level}")
            cells = grid.shape[1]
            s = torch.sigmoid(conv(x)).reshape(1, 3, self.outputs, cells).permute(0, 1, 3, 2)
            xy = s[..., 0:2] * float(2 * networks.YOLO_STRIDES[level]) + grid
            wh = s[..., 2:4] * s[..., 2:4] * size
            rows.append(torch.cat([xy, wh, s[..., 4:]], -1).reshape(1, 3 * cells, self.outputs))
        return torch.cat(rows, 1)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("model", choices=networks.NAMES)
    p.add_argument("--size", type=size, default=(64, 64), metavar="HxW")
    p.add_argument("--output", required=True, metavar="STEM", help="stem of the outputs STEM.param and STEM.bin")
    a = p.parse_args()

    import pnnx
    torch.set_num_threads(1)
    net = reorder.reorder(synthetic.fill(networks.build(a.model)).eval(), reorder.PixelUnshuffle)
    if a.model in networks.YOLO_NAMES:
        net.model[-1] = Decode(net.model[-1], *a.size)
    stem = pathlib.Path(a.output).resolve()
    work = stem.with_name(stem.name + "-pnnx")
    work.mkdir(parents=True, exist_ok=True)
    os.chdir(work)  # pnnx writes many files beside the requested one
    with torch.inference_mode():
        pnnx.export(net.eval(), "net.pt", (synthetic.synthetic_input(1, *a.size),), fp16=False)
    for kind in ("param", "bin"):
        os.replace(f"net.ncnn.{kind}", f"{stem}.{kind}")
    for leftover in os.listdir():
        os.remove(leftover)
    os.chdir("..")
    work.rmdir()


if __name__ == "__main__":
    main()
