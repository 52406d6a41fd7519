"""nnU-Net's plain U-Net in PyTorch: training step and inference. Both return (run, facts); facts holds the memory above what the process,
or its tensors on a GPU, hold before the first run, the network and its input included, which means something where the process does
nothing else."""
import ctypes
import gc

import torch
from torch import nn

from torch_ops import dice_cross_entropy


class Block(nn.Sequential):
    def __init__(self, cin, cout, stride=1):
        norm = nn.InstanceNorm3d(cout, eps=1e-5, affine=True)
        super().__init__(nn.Conv3d(cin, cout, 3, stride, 1), norm, nn.LeakyReLU(0.01, inplace=True))


class UNet(nn.Module):
    """Two convolutions per stage, stride 2 between stages, transposed convolutions up, a 1x1x1 head per decoder stage. In training mode
    it gives the logits of all of them, full resolution first, else of the last."""

    def __init__(self, features, classes):
        super().__init__()
        self.encoder = nn.ModuleList(
            nn.Sequential(Block(features[s - 1] if s else 1, f, 2 if s else 1), Block(f, f)) for s, f in enumerate(features)
        )
        down = list(reversed(features))
        self.up = nn.ModuleList(nn.ConvTranspose3d(a, b, 2, 2) for a, b in zip(down, down[1:]))
        self.decoder = nn.ModuleList(nn.Sequential(Block(2 * f, f), Block(f, f)) for f in down[1:])
        self.heads = nn.ModuleList(nn.Conv3d(f, classes, 1) for f in down[1:])

    def forward(self, x):
        skips = []
        for stage in self.encoder:
            x = stage(x)
            skips.append(x)
        logits = []
        for i, (up, stage) in enumerate(zip(self.up, self.decoder)):
            x = stage(torch.cat((up(x), skips[-2 - i]), 1))
            if self.training or i + 1 == len(self.up):
                logits.insert(0, self.heads[i](x))
        return logits


def process_memory(key):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith(key + ":"))


def device():
    return torch.empty(0).device.type


def memory_above_now():
    gc.collect()
    if device() == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        held = torch.cuda.memory_allocated()
        return {"memory": lambda: torch.cuda.max_memory_allocated() - held}
    ctypes.CDLL(None).malloc_trim(0)
    before = process_memory("VmRSS")
    with open("/proc/self/clear_refs", "w") as clear:
        clear.write("5")
    return {"memory": lambda: max(0, process_memory("VmHWM") - before)}


def network(work, form):
    net = UNet(work["features"], work["classes"]).to(memory_format=form)
    return net, torch.randn(work["batch"], 1, *work["size"]).to(memory_format=form)


def step(work, dtype, form, compiled):
    net, x = network(work, form)
    labels = [torch.randint(0, work["classes"], (work["batch"], *(n >> i for n in work["size"]))) for i in range(len(work["features"]) - 1)]
    weights = [0.5**i for i in range(len(labels))]
    weights[-1] = 0  # nnU-Net's: the coarsest output counts for nothing
    facts = memory_above_now()
    optimizer = torch.optim.SGD(net.parameters(), 0.01, momentum=0.99, weight_decay=3e-5, nesterov=True)
    call = torch.compile(net) if compiled else net
    loss_of = torch.compile(dice_cross_entropy) if compiled else dice_cross_entropy

    def run():
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(device(), torch.bfloat16, enabled=dtype == torch.bfloat16):
            logits = call(x)
            loss = sum(w / sum(weights) * loss_of(y, label) for w, y, label in zip(weights, logits, labels) if w)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), work["clip"])
        optimizer.step()

    return run, facts


def run_inference(net, x, dtype, compiled):
    net.eval()
    facts = memory_above_now()
    call = torch.compile(net) if compiled else net

    def run():
        with torch.inference_mode(), torch.autocast(device(), torch.bfloat16, enabled=dtype == torch.bfloat16):
            return call(x)

    return run, facts


def inference(work, dtype, form, compiled):
    return run_inference(*network(work, form), dtype, compiled)
