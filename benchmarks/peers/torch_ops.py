"""Single ops of voxgrad_bench in PyTorch. A builder takes (work, dtype, memory format) and returns (run, facts)."""
import torch
import torch.nn.functional as F

PASSES = {"forward": None, "input gradient": [True, False, False], "weight gradient": [False, True, False]}


def layer(work, dtype, form):
    """One pass of a convolution, by the ops that autograd itself calls."""
    cin, cout, kernel, groups = work["in"], work["out"], work["kernel"], work["groups"]
    shape = [cin, cout // groups, *kernel] if work["transposed"] else [cout, cin // groups, *kernel]
    x = torch.randn(work["batch"], cin, *work["size"]).to(dtype).to(memory_format=form)
    w = torch.randn(shape).to(dtype).to(memory_format=form)
    settings = (work["stride"], work["padding"], [1, 1, 1], work["transposed"], [0, 0, 0], groups)
    mask = PASSES[work["pass"]]
    with torch.no_grad():
        gy = torch.randn_like(torch.ops.aten.convolution(x, w, None, *settings)) if mask else None

    def run():
        with torch.no_grad():
            if mask is None:
                return torch.ops.aten.convolution(x, w, None, *settings)
            return torch.ops.aten.convolution_backward(gy, x, w, None, *settings, mask)

    return run, {}


def convolution(work, x, w, b):
    call = F.conv_transpose3d if work["transposed"] else F.conv3d
    return call(x, w, b, stride=work["stride"], padding=work["padding"], groups=work["groups"])


def with_skip_and_slope(work, y, skip):
    return F.leaky_relu(y if skip is None else y + skip, work["slope"])


def layer_norm(work, x, w, b):
    return F.layer_norm(x.permute(0, 2, 3, 4, 1), (x.shape[1],), w, b).permute(0, 4, 1, 2, 3)


def other_layout(work, x):
    there = torch.channels_last_3d if x.is_contiguous() else torch.contiguous_format
    return x.contiguous(memory_format=there)


def dice_cross_entropy(logits, label, smooth=1e-5):
    """nnU-Net's DC_and_CE_loss: soft Dice per sample without the background, and cross-entropy."""
    p = torch.softmax(logits, 1)
    with torch.no_grad():
        true = torch.zeros(logits.shape, dtype=torch.bool).scatter_(1, label[:, None], 1)[:, 1:]
        size = true.sum((2, 3, 4))
    p = p[:, 1:]
    both = (p * true).sum((2, 3, 4))
    dice = (2 * both + smooth) / torch.clip(p.sum((2, 3, 4)) + size + smooth, 1e-8)
    return F.cross_entropy(logits, label) - dice.mean()


OPS = {
    "conv3d": convolution,
    "instance_norm_act": lambda work, x, w, b, skip=None: with_skip_and_slope(work, F.instance_norm(x, weight=w, bias=b), skip),
    "group_norm_act": lambda work, x, w, b: with_skip_and_slope(work, F.group_norm(x, work["groups"], w, b), None),
    "batch_norm_act": lambda work, x, w, b: with_skip_and_slope(work, F.batch_norm(x, None, None, w, b, True), None),
    "layer_norm": layer_norm,
    "interpolate3d": lambda work, x: F.interpolate(x, tuple(work["size"]), mode=work["mode"]),
    "max_pool3d": lambda work, x: F.max_pool3d(x, work["kernel"], work["stride"], work["padding"]),
    "avg_pool3d": lambda work, x: F.avg_pool3d(x, work["kernel"]),
    "global_avg_pool3d": lambda work, x: F.adaptive_avg_pool3d(x, 1),
    "softmax": lambda work, x: torch.softmax(x, 1),
    "dice_cross_entropy": lambda work, x, label: dice_cross_entropy(x, label),
    "cross_entropy": lambda work, x, label: F.cross_entropy(x, label),
    "argmax": lambda work, x: x.argmax(1),
    "concat": lambda work, x, y: torch.cat([x, y], 1),
    "add": lambda work, x, y: x + y,
    "leaky_relu": lambda work, x: F.leaky_relu(x, work["slope"]),
    "gelu": lambda work, x: F.gelu(x),
    "dropout": lambda work, x: F.dropout(x, work["p"], True),
    "pad": lambda work, x: F.pad(x, [work["padding"]] * 6),
    "channels_first": other_layout,
    "grid_sample3d": lambda work, x, grid: F.grid_sample(x, grid, align_corners=False),
    "linear": lambda work, x, w, b: F.linear(x, w, b),
}


def tensor(work, index, dtype, form):
    shape, role = work["shapes"][index], work["roles"][index]
    if role == "label":
        return torch.randint(0, work["classes"], shape)
    x = torch.rand(shape).mul_(2).sub_(1).to(dtype)
    if len(shape) == 5 and not (work["op"] == "grid_sample3d" and role == "parameter"):
        x = x.permute(0, 4, 1, 2, 3).contiguous(memory_format=form)
    return x


def op(work, dtype, form):
    inputs = [tensor(work, i, dtype, form) for i in range(len(work["shapes"]))]
    call = OPS[work["op"]]
    if work["pass"] == "forward":

        def run():
            with torch.no_grad():
                return call(work, *inputs)

        return run, {}
    leaves = [x.requires_grad_() for x, role in zip(inputs, work["roles"]) if role in ("activation", "parameter")]
    seed = torch.randn_like(call(work, *inputs).detach())
    return lambda: torch.autograd.grad(call(work, *inputs), leaves, seed), {}


def builder(work):
    if work["op"] == "conv3d" and "shapes" not in work:
        return layer
    return op if work["op"] in OPS else None
