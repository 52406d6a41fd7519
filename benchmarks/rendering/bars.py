"""The bars of convolutions and networks on a GPU, an H200 or H100, and the step of `tools/gpu_check --bench` that answers each."""
from typing import NamedTuple


class Bar(NamedTuple):
    text: str
    step: str


LAYERS, NETWORKS, BESIDE = "profile of layers", "networks", "networks beside PyTorch at its best"
BARS = (
    Bar("3x3x3 layers of nnU-Net's network for 128^3, each of the three passes in bf16: at least as fast as cuDNN's plan, those at 128^3 at "
        "least 1.3 times, none below 0.9 times", LAYERS),
    Bar("the same in tf32: at least as fast as cuDNN in the median", LAYERS),
    Bar("the same at 8^3 and 4^3: at least as fast as cuDNN", LAYERS),
    Bar("workspace of every layer: at most 64 MB", LAYERS),
    Bar("first layers, heads and depthwise: at least 80 % of the rate of copies", LAYERS),
    Bar("step of nnU-Net 32-320, 2 x 64^3: at most 7 ms in bf16, 14 ms in f32", NETWORKS),
    Bar("step of nnU-Net 32-320, 2 x 128^3 in bf16: at least twice as fast as PyTorch eager, 1.5 times as its best mode; at most 20 ms, then 14",
        BESIDE),
    Bar("its peak memory: at most half of PyTorch's", BESIDE),
    Bar("its inference: at most 4 ms for 128^3, then 2.5", NETWORKS),
)


def unanswered(passed):
    """Lines of RESULTS.md; passed: names of steps that passed on some GPU."""
    left = [bar for bar in BARS if bar.step not in passed]
    if not left:
        return []
    return ["Bars of speed that no GPU has answered yet, by the step of `tools/gpu_check --bench` that does.", "",
            *(f"- {bar.text} (**{bar.step}**)" for bar in left), ""]
