"""Exports PyTorch networks with the synthetic weights for the peers: python torch_export.py MODEL SIZE BATCH

Writes state.pt and input.npy, and ONNX files (opset 17, fixed shape) with the two forms of space-to-depth: slices.onnx as in
the paper, operator.onnx with ONNX's SpaceToDepth and permuted weights. Both compute the decoded boxes of a detector. Networks
without space-to-depth have one file, pytorch.onnx.
"""
import sys
import warnings

import numpy as np
import torch

import networks
import reorder
import synthetic
from cases import Case


def export(net, x, path):
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # about shapes that become constants, and about its own age
        torch.onnx.export(net, (x,), path, opset_version=17, dynamo=False,
                          input_names=["images"], output_names=["output"])


def main():
    case = Case(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
    torch.set_num_threads(1)
    x = synthetic.synthetic_input(case.batch, case.size, case.size)
    net = synthetic.fill(networks.build(case.model)).eval()
    np.save(case.input, x.numpy())
    torch.save(net.state_dict(), case.state)
    for form, path in case.forms.items():
        if form == "operator":
            export(reorder.reorder(net, reorder.OnnxSpaceToDepth), x, path)
        elif form != "spdc":
            export(net, x, path)


if __name__ == "__main__":
    main()
