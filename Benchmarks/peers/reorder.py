"""Rewrites space-to-depth in another library's channel order, with the weights after it permuted accordingly.

The paper's order is a concatenation of strided slices, which some peers cannot convert and others run slowly. Here the
layer becomes the peer's own operator, and the weights of its readers (convolutions, batch normalisations) are permuted, so
that the network computes the same function.
"""
import torch
from torch import nn

import networks


class OnnxSpaceToDepth(nn.Module):
    """ONNX's SpaceToDepth: out[(2r + q)·C + c] = in[c, 2y + r, 2x + q]."""

    class Export(torch.autograd.Function):
        @staticmethod
        def forward(_, x):
            return torch.cat([x[..., r::2, q::2] for r in (0, 1) for q in (0, 1)], 1)

        @staticmethod
        def symbolic(g, x):
            n, c, h, w = x.type().sizes()
            y = g.op("SpaceToDepth", x, blocksize_i=2)
            y.setType(x.type().with_sizes([n, 4 * c, h // 2, w // 2]))
            return y

    def forward(self, x):
        return self.Export.apply(x)

    @staticmethod
    def place(r, q, c, channels):
        return (2 * r + q) * channels + c


class PixelUnshuffle(nn.PixelUnshuffle):
    """PyTorch's pixel-unshuffle, which pnnx turns into ncnn's Reorg: out[4c + 2r + q] = in[c, 2y + r, 2x + q]."""

    def __init__(self):
        super().__init__(2)

    @staticmethod
    def place(r, q, c, channels):
        return 4 * c + 2 * r + q


def permutation(channels, layer):
    """The index of each of the layer's channels in the paper's order, (r + 2q)·C + c."""
    order = [0] * 4 * channels
    for r in (0, 1):
        for q in (0, 1):
            for c in range(channels):
                order[layer.place(r, q, c, channels)] = (r + 2 * q) * channels + c
    return torch.tensor(order)


def permute_inputs(conv, order):
    """Permutes the first len(order) input channels: a concatenation may append others after them."""
    with torch.no_grad():
        conv.weight[:, :len(order)] = conv.weight[:, order]


def permute_norm(norm, order):
    with torch.no_grad():
        for t in (norm.weight, norm.bias, norm.running_mean, norm.running_var):
            t.copy_(t[order])


def reorder(net, layer):
    """Replaces every SPD of a network of networks.py by layer(), in place."""
    for module in net.modules():
        if isinstance(module, networks.Focus):
            conv = module.conv.conv
            module.spd = layer()
            permute_inputs(conv, permutation(conv.in_channels // 4, module.spd))
        elif isinstance(module, networks.YOLO):
            for i, part in enumerate(module.model):
                if isinstance(part, networks.SPD):
                    reorder_yolo(module.model, i, layer())
        elif isinstance(module, networks.Residual):
            chain = module.residual_function
            for i, part in enumerate(chain):
                if isinstance(part, networks.SPD):  # convolution, SPD, normalisation, ReLU, convolution
                    chain[i] = layer()
                    order = permutation(chain[i - 1].out_channels, chain[i])
                    permute_norm(chain[i + 1], order)
                    permute_inputs(chain[i + 3], order)
    left = sum(isinstance(m, networks.SPD) for m in net.modules())
    if left:
        raise ValueError(f"{left} space-to-depth layers are in unsupported places")
    return net


def reorder_yolo(layers, i, layer):
    """Permutes the C3 after an SPD, perhaps after a concatenation that has the SPD's channels first."""
    reader = layers[i + 1]
    if isinstance(reader, networks.Concat):
        reader = layers[i + 2]
    order = permutation(layers[i - 1].conv.out_channels, layer)
    for conv in (reader.cv1.conv, reader.cv2.conv):
        permute_inputs(conv, order)
    layers[i] = layer
