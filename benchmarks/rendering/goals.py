"""The project's goals: which work, beside which peer, by how much. A row without a bar is shown for information."""
from typing import NamedTuple, Optional

EAGER = ("pytorch", "pytorch channels_last")
COMPILED = ("pytorch compiled", "pytorch channels_last compiled")
LARGEST_ERROR = 5e-6  # of f32 convolutions, of max |y|
LEAST_OF_MEDIAN = 0.5  # worst / median GFLOP/s of a sweep
# Title, cases, and the least extent or number of channels that counts.
SWEEPS = (("sweep, 32 to 32 channels on 32³ to 256³ voxels", "sweep/voxels", 1), ("sweep, 8 to 320 channels", "sweep/channels", 8))
# Title, file, and the beginning of the cases that a picture shows.
PICTURES = (("Roofline", "roofline.png", "layers/"), ("Time per voxel", "voxels.png", "sweep/"),
            ("Sweep of channels", "channels.png", "sweep/channels"))


class Goal(NamedTuple):
    title: str
    case: str
    dtype: str
    bar: Optional[float] = None  # peer / ours, at least
    peers: tuple = EAGER
    key: str = "seconds"  # or "memory"


PASSES = ("forward", "input gradient", "weight gradient")
WIDE = ["32-32 at 64", "64-32 at 64", "64-64 at 32", "128-64 at 32", "128-128 at 16", "256-128 at 16", "256-256 at 8", "512-256 at 8",
        "320-320 at 4"]
# Kinds of layers: title, names, bars of the three passes in f32, and in bf16.
LAYERS = [
    ("3×3×3", WIDE, (1.7, 1.6, 1.5), (1.0, None, 1.2)),
    ("first layer", ["1-32 at 64", "1-16 at 40x56x40"], (4, 4, 4), (None, None, None)),
    ("stride 2", ["32-64/2 at 64", "64-128/2 at 32", "128-256/2 at 16"], (1.1, 1.1, 1.1), (None, None, None)),
    ("kernel = stride, transposed", ["T64-32 at 32", "T128-64 at 16", "T320-256 at 4"], (1.5, 1.5, 1.5), (None, None, None)),
    ("head", ["1x1 32-3 at 64"], (3, 3, 3), (None, None, None)),
    ("1×1×1", ["1x1 64-64 at 32"], (None, None, None), (None, None, None)),
    ("7×7×7 stride 2", ["7 1-64/2 at 64"], (None, None, None), (None, None, None)),
    ("depthwise", ["dw3 32 at 64", "dw5 32 at 64"], (None, 10, 10), (None, None, None)),
    ("3×3×3", ["16-16 at 40x56x40", "32-16 at 40x56x40", "32-32 at 20x28x20, 2", "64-64 at 10x14x10, 2", "128-128 at 5x7x5, 2"],
     (None, None, None), (None, None, None)),
]
OP_BARS = {"ops/instance norm + leaky relu, 2x64^3x32/forward+backward": 4, "ops/trilinear x2, 64^3x32/forward": 5}
LARGE, SMALL = "unet 32-64-128-256-320, 2x64^3", "unet 16-32-64-128, 2x40x56x40"
RESNET = "resnet50, 2x64^3"


def layer_goals():
    for title, names, *bars in LAYERS:
        for dtype, of_passes in zip(("f32", "bf16"), bars):
            for name in names:
                for step, bar in zip(PASSES, of_passes):
                    yield Goal(f"{title}, {name}: {step}", f"layers/{name}/{step}", dtype, bar)


def network_goals():
    for dtype, eager, compiled in (("f32", 2.5, 2), ("bf16", None, 1.5)):
        yield Goal(f"training step, {LARGE}", f"step/{LARGE}", dtype, eager)
        yield Goal(f"training step, {LARGE}", f"step/{LARGE}", dtype, compiled, COMPILED)
    yield Goal(f"memory of the step, {LARGE}", f"step/{LARGE}", "f32", 1 / 0.6, EAGER, "memory")
    yield Goal(f"memory of the step, {LARGE}", f"step/{LARGE}", "bf16", None, EAGER, "memory")
    for dtype, bar in (("f32", 2.5), ("bf16", 1.5)):
        yield Goal(f"inference, {LARGE}", f"inference/{LARGE}", dtype, bar)
        yield Goal(f"inference, {LARGE}", f"inference/{LARGE}", dtype, None, COMPILED)
    for dtype, bar in (("f32", 2.5), ("bf16", None)):
        yield Goal(f"training step, {SMALL}", f"step/{SMALL}", dtype, bar)
        yield Goal(f"training step, {SMALL}", f"step/{SMALL}", dtype, None, COMPILED)
        yield Goal(f"inference, {SMALL}", f"inference/{SMALL}", dtype)
    for group, title in (("step", "training step"), ("inference", "inference")):
        yield Goal(f"{title}, {RESNET}", f"{group}/{RESNET}", "f32", 3)
        yield Goal(f"{title}, {RESNET}", f"{group}/{RESNET}", "f32", None, COMPILED)


def op_goals(results):
    for dtype in ("f32", "bf16"):
        for case in results.cases("ops/", dtype):
            name, step = case.removeprefix("ops/").rsplit("/", 1)
            yield Goal(f"{name}: {step}", case, dtype, OP_BARS.get(case) if dtype == "f32" else None)


def all_goals(results):
    return [*network_goals(), *layer_goals(), *op_goals(results)]
