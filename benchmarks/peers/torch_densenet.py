"""The dense network for volumes in PyTorch (torchvision's, with kernels of three axes): training step and inference, as torch_resnet has
them."""
import torch
from torch import nn

import torch_resnet
from torch_resnet import conv
from torch_unet import run_inference

LAYERS = {121: (6, 12, 24, 16), 161: (6, 12, 36, 24), 169: (6, 12, 32, 32), 201: (6, 12, 48, 32)}


def layer(cin, cout, kernel):
    """norm, ReLU and convolution"""
    return [nn.BatchNorm3d(cin), nn.ReLU(inplace=True), conv(cin, cout, kernel)]


class DenseLayer(nn.Sequential):
    def __init__(self, cin, growth):
        super().__init__(*layer(cin, 4 * growth, 1), *layer(4 * growth, growth, 3))


class DenseBlock(nn.ModuleList):
    def forward(self, x):
        parts = [x]
        for of_all in self:
            parts.append(of_all(torch.cat(parts, 1)))
        return torch.cat(parts, 1)


class DenseNet(nn.Sequential):
    def __init__(self, depth, growth, classes):
        cin = 2 * growth
        parts = [conv(1, cin, 7, 2), nn.BatchNorm3d(cin), nn.ReLU(inplace=True), nn.MaxPool3d(3, 2, 1)]
        for block, count in enumerate(LAYERS[depth]):
            if block:
                parts += [*layer(cin, cin // 2, 1), nn.AvgPool3d(2)]
                cin //= 2
            parts.append(DenseBlock(DenseLayer(cin + i * growth, growth) for i in range(count)))
            cin += count * growth
        super().__init__(*parts, nn.BatchNorm3d(cin), nn.ReLU(inplace=True), nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(cin, classes))


def network(work, form):
    net = DenseNet(work["depth"], work["growth"], work["classes"]).to(memory_format=form)
    return net, torch.randn(work["batch"], 1, *work["size"]).to(memory_format=form)


def step(work, dtype, form, compiled):
    return torch_resnet.step(work, dtype, form, compiled, network)


def inference(work, dtype, form, compiled):
    return run_inference(*network(work, form), dtype, compiled)
