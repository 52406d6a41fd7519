"""ConvNeXt for volumes in PyTorch (torchvision's, with kernels of three axes and 2x2x2 convolutions between the stages): training step and
inference, as torch_resnet has them."""
import torch
from torch import nn

import torch_resnet
from torch_unet import run_inference


class ChannelNorm(nn.LayerNorm):
    def forward(self, x):
        return super().forward(x.movedim(1, -1)).movedim(-1, 1)


class Block(nn.Module):
    def __init__(self, channels, kernel):
        super().__init__()
        self.depthwise = nn.Conv3d(channels, channels, kernel, padding=kernel // 2, groups=channels)
        self.norm = nn.LayerNorm(channels, eps=1e-6)
        self.expand, self.project = nn.Linear(channels, 4 * channels), nn.Linear(4 * channels, channels)
        self.scale = nn.Parameter(torch.full((channels,), 1e-6))

    def forward(self, x):
        y = self.norm(self.depthwise(x).movedim(1, -1))
        return x + (self.scale * self.project(nn.functional.gelu(self.expand(y)))).movedim(-1, 1)


class ConvNeXt(nn.Sequential):
    def __init__(self, features, blocks, kernel, classes):
        parts = [nn.Conv3d(1, features, 4, 4), ChannelNorm(features, eps=1e-6)]
        for stage, count in enumerate(blocks):
            if stage:
                parts += [ChannelNorm(features, eps=1e-6), nn.Conv3d(features, 2 * features, 2, 2)]
                features *= 2
            parts += [Block(features, kernel) for _ in range(count)]
        super().__init__(*parts, nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.LayerNorm(features, eps=1e-6), nn.Linear(features, classes))


def network(work, form):
    net = ConvNeXt(work["features"], work["blocks"], work["kernel"], work["classes"]).to(memory_format=form)
    return net, torch.randn(work["batch"], 1, *work["size"]).to(memory_format=form)


def step(work, dtype, form, compiled):
    return torch_resnet.step(work, dtype, form, compiled, network)


def inference(work, dtype, form, compiled):
    return run_inference(*network(work, form), dtype, compiled)
