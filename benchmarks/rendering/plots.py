"""Roofline, time against voxels and sweep of channels as PNG."""
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402
from matplotlib.ticker import NullLocator  # noqa: E402

import goals  # noqa: E402

OURS = ("voxgrad",)
CONTENDERS = ((OURS, "voxgrad", "#c8102e", "o"), (goals.EAGER, "PyTorch, faster layout", "#1f6fb2", "^"))
DTYPES = ("f32", "bf16")


def last_number(case):
    return int(case.split("/")[1].split()[-1])


def finish(figure, folder, name):
    figure.tight_layout()
    figure.savefig(folder / name, dpi=110)
    plt.close(figure)


def panels(title, log_y=True, ticks=None):
    figure, axes = plt.subplots(1, 2, figsize=(11, 4.4), sharey=True)
    for axis, dtype in zip(axes, DTYPES):
        axis.set_xscale("log")
        if ticks:
            axis.set_xticks(ticks, [str(t) for t in ticks])
            axis.xaxis.set_minor_locator(NullLocator())
        if log_y:
            axis.set_yscale("log")
        axis.grid(True, which="both", alpha=0.25)
        axis.set_title(f"{title}, {dtype}")
    return figure, dict(zip(DTYPES, axes))


def roofline(results, folder):
    """GFLOP/s of every layer and pass against the operations per byte of its least traffic, under what the machine can do."""
    figure, axes = panels("convolutions")
    for dtype, axis in axes.items():
        cases = results.cases("layers/", dtype)
        for names, label, color, marker in CONTENDERS:
            found = [r for r in (results.fastest(case, dtype, names) for case in cases) if r]
            x = [r["flops"] / r["bytes"] for r in found]
            axis.plot(x, [r["flops"] / r["seconds"] * 1e-9 for r in found], marker, color=color, ms=4, alpha=0.65, label=label)
        peak, copy = results.rate("machine/multiply-add", dtype, OURS), results.ours("machine/copy", "f32")
        if peak and copy:
            bandwidth = copy["bytes"] / copy["seconds"] * 1e-9
            x = [0.3, peak / bandwidth, 3000]
            axis.plot(x, [min(peak, bandwidth * v) for v in x], "k-", lw=1, label=f"machine: {peak:.0f} GFLOP/s, {bandwidth:.0f} GB/s")
        axis.set_xlabel("operations per byte")
        if axis.lines:
            axis.legend(fontsize=8)
    axes["f32"].set_ylabel("GFLOP/s of the direct algorithm")
    finish(figure, folder, "roofline.png")


def voxels(results, folder):
    """Nanoseconds per voxel against the extent of the volume: level where time is linear in voxels."""
    figure, axes = panels("time per voxel", ticks=(32, 48, 64, 96, 128, 192, 256))
    kinds = (("sweep/voxels ", "/forward", "conv 32-32", "-"), ("sweep/unet", "", "U-Net 16-32-64-128", "--"))
    for dtype, axis in axes.items():
        for prefix, ending, title, dash in kinds:
            for names, label, color, marker in CONTENDERS:
                found = [(last_number(c), results.fastest(c, dtype, names)) for c in results.cases(prefix, dtype) if c.endswith(ending)]
                points = sorted((n, r["seconds"] * 1e9 / n**3) for n, r in found if r)
                if points:
                    axis.plot(*zip(*points), dash, color=color, marker=marker, ms=4, label=f"{label}, {title}")
        axis.set_xlabel("extent of the cube, voxels")
        if axis.lines:
            axis.legend(fontsize=8)
    axes["f32"].set_ylabel("ns per voxel, forward")
    finish(figure, folder, "voxels.png")


def channels(results, folder):
    figure, axes = panels("convolution of C to C channels", log_y=False, ticks=(1, 2, 4, 8, 16, 32, 64, 128, 320))
    for dtype, axis in axes.items():
        for step, dash in zip(goals.PASSES, ("-", "--", ":")):
            for names, label, color, marker in CONTENDERS:
                cases = [c for c in results.cases("sweep/channels ", dtype) if c.endswith("/" + step)]
                points = sorted((last_number(c), v) for c in cases if (v := results.rate(c, dtype, names)))
                if points:
                    axis.plot(*zip(*points), dash, color=color, marker=marker, ms=3, lw=1, label=f"{label}, {step}")
        axis.set_xlabel("channels")
        if axis.lines:
            axis.legend(fontsize=7)
    axes["f32"].set_ylabel("GFLOP/s of the direct algorithm")
    finish(figure, folder, "channels.png")


def draw(results, folder):
    """Titles and names of the pictures that were drawn."""
    drawn = []
    for (title, name, prefix), make in zip(goals.PICTURES, (roofline, voxels, channels)):
        if results.cases(prefix, "f32"):
            make(results, folder)
            drawn.append((title, name))
    return drawn
