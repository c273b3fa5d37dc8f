"""Export a network with the synthetic weights to ONNX (float32, opset 17, fixed shape), for bench_ort.py.

    python export_onnx.py yolov5-spd-n --size 640x640 --output yolov5-spd-n.onnx

Input "images", output "output", as in evaluation mode; convolution and BatchNorm are fused by the exporter.
"""
import argparse
import warnings

import torch

import networks
import synthetic
from reference import size


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("model", choices=networks.NAMES)
    p.add_argument("--size", type=size, default=(64, 64), metavar="HxW", help="default 64x64")
    p.add_argument("--batch", type=int, default=1, metavar="N")
    p.add_argument("--classes", type=int, metavar="N")
    p.add_argument("--output", required=True, metavar="X.onnx")
    a = p.parse_args()
    torch.set_num_threads(1)
    net = synthetic.fill(networks.build(a.model, a.classes)).eval()
    x = synthetic.synthetic_input(a.batch, *a.size)
    with warnings.catch_warnings():
        # The tracing exporter says that shapes become constants (they shall) and that it is the older one; the newer
        # one writes opset 18 and converts down.
        warnings.simplefilter("ignore")
        torch.onnx.export(net, (x,), a.output, opset_version=17, dynamo=False,
                          input_names=["images"], output_names=["output"])


if __name__ == "__main__":
    main()
