"""What tools/gpu_check does on a GPU after building, in this order, and what each step shows. The results page lists what has not been seen
yet. Commands name {build}, {out} (a folder for files), {program}, {bench}, {cases}, {python} and {within} (the seconds that there are)."""
from typing import NamedTuple

NETWORKS, LARGER, LAYERS, OPS = "^(step|inference)/unet 32.*x64", "^(step|inference)/unet 32", "^layers.*table|^machine", "^ops/[^:]*$"
COMPARE = ("benchmarks/compare --device cuda --bench {{bench}} --python {{python}} --without compiled --seconds 0.1 --resume "
           "--out {{out}}/compare.json --filter '{filter}'")
SANITIZE = "compute-sanitizer --tool {tool} --error-exitcode 1 {{cases}} --device cuda --brief {count}"


class Step(NamedTuple):
    name: str
    shows: str
    command: str
    seconds: int  # at most
    needs: tuple = ()  # of "gpu", "compute-sanitizer", "cudnn", "torch"


def sanitizer(tool, shows, count, seconds):
    return Step(tool, shows, SANITIZE.format(tool=tool, count=count), seconds, ("gpu", "compute-sanitizer"))


def sanitizers_by(way, what):
    """Of convolutions by a way that the table may never take; races on a few, since that takes longest."""
    commands = " && ".join(SANITIZE.format(tool=tool, count=f"{count} conv") for tool, count in
                           (("memcheck", 12), ("synccheck", 12), ("initcheck", 12), ("racecheck", 4)))
    return Step(f"sanitizers by {way}", f"memcheck, synccheck, initcheck and racecheck of convolutions {what}",
                f"env VOXGRAD_CONV_CUDA={way} bash -c '{commands}'", 45, ("gpu", "compute-sanitizer"))


STEPS = (
    Step("op cases", "every op forward and backward in f32 (by tf32 and exactly), bf16 and f16 against f64; red zones; repeated bits",
         "{cases} --device cuda", 120),
    Step("optimizers, losses, augmentation",
         "their CUDA sides against those of the CPU; batches made on a stream beside; exact f32; facts of wgmma, bulk copies and clusters",
         "{build}/tests/cuda_unit_tests", 90),
    Step("tiny network", "the whole program, trained and predicting on both devices; a CUDA run, killed and resumed, repeats its bits",
         "tests/cuda/cuda_program {program} {out} tiny", 60),
    Step("hippocampus network", "U-Net 16-32-64-128 on patches of 40x56x40, 100 steps on both devices: losses within 5 %, bits as above",
         "tests/cuda/cuda_program {program} {out} hippocampus", 120, ("gpu",)),
    Step("beyond 2^31 elements", "pointwise, copies, reductions, norm and convolutions on tensors of more than 2^31 elements",
         "{cases} --device cuda --huge", 120, ("gpu",)),
    Step("convolutions by mma", "their op cases by mma.sync, whichever way the table has for them",
         "env VOXGRAD_CONV_CUDA=mma {cases} --device cuda conv", 40, ("gpu",)),
    Step("convolutions by wgmma", "the same by wgmma, on sm_90", "env VOXGRAD_CONV_CUDA=wgmma {cases} --device cuda conv", 40, ("gpu",)),
    Step("convolutions by lines", "the same with three taps along H at once", "env VOXGRAD_CONV_CUDA=lines {cases} --device cuda conv", 30,
         ("gpu",)),
    Step("convolutions by tma", "by wgmma with halos that are copied as boxes", "env VOXGRAD_CONV_CUDA=tma {cases} --device cuda conv", 40,
         ("gpu",)),
    Step("convolutions by lines and tma", "both together", "env VOXGRAD_CONV_CUDA=lines_tma {cases} --device cuda conv", 30, ("gpu",)),
    Step("convolutions by Winograd", "the same by mma.sync with F(2, 3) along H, a trial",
         "env VOXGRAD_CONV_CUDA=winograd {cases} --device cuda conv", 30, ("gpu",)),
    Step("op cases by cuDNN", "convolutions with --conv cudnn, as above", "{cases} --device cuda --conv cudnn conv", 60, ("gpu", "cudnn")),
    sanitizer("memcheck", "accesses out of bounds, every case of every op", 99, 90),
    sanitizer("racecheck", "races in shared memory, cases of every op", 4, 90),
    sanitizer("initcheck", "device memory read before it is written, every case of every op", 99, 60),
    sanitizer("synccheck", "barriers and warp collectives, every case of every op", 99, 60),
    sanitizers_by("mma", "by mma.sync on whichever GPU"),
    sanitizers_by("wgmma", "by wgmma with halos that threads copy"),
    sanitizers_by("tma", "by wgmma with halos as boxes"),
    sanitizers_by("lines", "by wgmma with three taps along H at once"),
    sanitizers_by("lines_tma", "by both"),
    Step("op cases, a wait per launch", "faults that name their kernel; the same results as without waiting",
         "env VOXGRAD_CUDA_WAIT=1 {cases} --device cuda conv3d/", 60),
    Step("ops", "times of the other ops",
         f"{{bench}} --device cuda --seconds 0.05 --json {{out}}/bench_ops.json --filter '{OPS}'", 45, ("gpu",)),
    Step("networks beside PyTorch", "training step and inference of nnU-Net's network, beside PyTorch in both layouts",
         COMPARE.format(filter=NETWORKS), 150, ("gpu", "torch")),
    Step("layers beside PyTorch", "layers with a goal, beside cuDNN and PyTorch in both layouts", COMPARE.format(filter=LAYERS), 200,
         ("gpu", "torch")),
    Step("benchmarks", "the same without PyTorch, beside cuDNN where it is",
         f"{{bench}} --device cuda --seconds 0.1 --json {{out}}/bench.json --filter '{NETWORKS}|{LAYERS}'", 90, ("gpu",)),
)
# Of gpu_check --bench: one call of at most nine minutes that answers the bars of convolutions and networks (benchmarks/rendering/bars.py).
BENCH = (
    Step("profile of layers", "layers and passes beside cuDNN's best plan, those of the bars first: shares of what the GPU can do",
         "{bench} --device cuda --profile --seconds 0.05 --within {within} --json {out}/profile.json "
         "--filter '[[ ](bar|bandwidth|shape|f16|exact|table|unet64)'", 220, ("gpu",)),
    Step("networks", "training step and inference of nnU-Net's networks for 64^3 and 128^3, with their memory",
         f"{{bench}} --device cuda --seconds 0.2 --json {{out}}/bench_networks.json --filter '{LARGER}'", 60, ("gpu",)),
    Step("networks beside PyTorch at its best",
         "those for 128^3 in bf16 beside PyTorch, eager in both layouts, and as one CUDA graph, compiled in channels_last",
         COMPARE.format(filter=LARGER + ".*2x128").replace("compiled --seconds", "'^pytorch compiled|compiled$' --dtype bf16 --seconds")
         .replace("compare.json", "compare_bench.json"), 230, ("gpu", "torch")),
)
BY_NAME = {step.name: step for step in STEPS}
