"""The residual network of bottlenecks for volumes in PyTorch (torchvision's, with kernels of three axes): training step and inference, as
torch_unet has them."""
import torch
from torch import nn

from torch_unet import device, memory_above_now, run_inference

LAYERS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}


def conv(cin, cout, kernel, stride=1):
    return nn.Conv3d(cin, cout, kernel, stride, kernel // 2, bias=False)


class Bottleneck(nn.Module):
    def __init__(self, cin, width, stride):
        super().__init__()
        out = 4 * width
        self.conv1, self.bn1 = conv(cin, width, 1), nn.BatchNorm3d(width)
        self.conv2, self.bn2 = conv(width, width, 3, stride), nn.BatchNorm3d(width)
        self.conv3, self.bn3 = conv(width, out, 1), nn.BatchNorm3d(out)
        self.relu = nn.ReLU(inplace=True)
        changes = stride != 1 or cin != out
        self.downsample = nn.Sequential(conv(cin, out, 1, stride), nn.BatchNorm3d(out)) if changes else nn.Identity()

    def forward(self, x):
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.relu(self.bn2(self.conv2(y)))
        return self.relu(self.bn3(self.conv3(y)) + self.downsample(x))


class ResNet(nn.Sequential):
    def __init__(self, depth, features, classes):
        parts = [conv(1, features, 7, 2), nn.BatchNorm3d(features), nn.ReLU(inplace=True), nn.MaxPool3d(3, 2, 1)]
        cin = features
        for stage, count in enumerate(LAYERS[depth]):
            width = features << stage
            for i in range(count):
                parts.append(Bottleneck(cin, width, 2 if stage and i == 0 else 1))
                cin = 4 * width
        super().__init__(*parts, nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(cin, classes))


def network(work, form):
    net = ResNet(work["depth"], work["features"], work["classes"]).to(memory_format=form)
    return net, torch.randn(work["batch"], 1, *work["size"]).to(memory_format=form)


def step(work, dtype, form, compiled, network=network):
    net, x = network(work, form)
    net.train(not work.get("norms"))
    for m in net.modules():
        if work.get("norms") == "frozen" and isinstance(m, nn.BatchNorm3d):
            m.requires_grad_(False)
    label = torch.randint(0, work["classes"], (work["batch"],))
    facts = memory_above_now()
    optimizer = torch.optim.SGD(net.parameters(), 0.01, momentum=0.99, weight_decay=3e-5, nesterov=True)
    call = torch.compile(net) if compiled else net

    def run():
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(device(), torch.bfloat16, enabled=dtype == torch.bfloat16):
            loss = nn.functional.cross_entropy(call(x), label)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), work["clip"])
        optimizer.step()

    return run, facts


def inference(work, dtype, form, compiled):
    return run_inference(*network(work, form), dtype, compiled)
