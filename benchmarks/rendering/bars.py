"""The bars of convolutions and networks on a GPU, an H200 or H100, each answered by the numbers of `tools/gpu_check --bench`: met, missed,
or unanswered where a number is missing or of kernels that have changed since."""
import statistics
from typing import Callable, NamedTuple

import goals
import history

LAYERS, NETWORKS, BESIDE = "profile of layers", "networks", "networks beside PyTorch at its best"
SMALL, LARGE, ONE = "unet 32-64-128-256-320, 2x64^3", "unet 32-64-128-256-320-320, 2x128^3", "unet 32-64-128-256-320-320, 1x128^3"


class Answer(NamedTuple):
    met: object  # True, False, or None
    value: str
    commit: str = ""


def ratio(record):
    """How many times as long the best plan of cuDNN takes, whichever engine it is; None where cuDNN was not there."""
    peers = [seconds for seconds in (record.get("cudnn"), record.get("cudnn_best", {}).get("seconds")) if seconds]
    return min(peers) / record["seconds"] if peers else None


def short(record):
    return f"{record['case'].removeprefix('layers/')}, {record['dtype']}"


class Lines:
    """Lines of a profile that a bar asks for: those measured, and how many are not."""

    def __init__(self, profile, tag, dtypes, extents=None):
        found = {(r["case"], r["dtype"]): r for r in profile["results"] if "of_copy" in r}
        asked = [(c, t) for r in profile["results"] if r["case"] == "plan" for c, t, of, out in r["bars"]
                 if of == tag and t in dtypes and (extents is None or out in extents)]
        self.records = [found[key] for key in asked if key in found]
        self.asked = len(asked)
        self.missing = self.asked - len(self.records)

    def rated(self):
        return sorted(((v, r) for r in self.records if (v := ratio(r)) is not None), key=lambda pair: pair[0])

    def answer(self, values, fails, fulfilled, text):
        """fails: something measured breaks the bar, whatever is missing."""
        left = self.asked - len(values)
        text += f"; {left} of {self.asked} lines not measured" * (left > 0)
        return Answer(False if fails else None if left else fulfilled, text)


def no_cudnn(lines):
    return Answer(None, f"no times of cuDNN, {len(lines.records)} of {lines.asked} lines measured")


def layers_bf16(profile):
    lines = Lines(profile, "bar", ("bf16",))
    rated = lines.rated()
    if not rated:
        return no_cudnn(lines)
    medians = {step: statistics.median(v) for step in goals.PASSES if (v := [v for v, r in rated if r["case"].endswith("/" + step)])}
    least, largest = rated[0], [(v, r) for v, r in rated if r["out"][0] == 128]
    text = "medians " + ", ".join(f"{step} {v:.2f}×" for step, v in medians.items()) + f"; least {least[0]:.2f}× ({short(least[1])})"
    text += f"; least at 128³ {largest[0][0]:.2f}× ({short(largest[0][1])})" if largest else ""
    fails = least[0] < 0.9 or any(v < 1.3 for v, _ in largest)
    return lines.answer(rated, fails, bool(largest) and all(v >= 1 for v in medians.values()), text)


def layers_tf32(profile):
    lines = Lines(profile, "bar", ("f32",))
    rated = lines.rated()
    if not rated:
        return no_cudnn(lines)
    middle = statistics.median(v for v, _ in rated)
    return lines.answer(rated, False, middle >= 1, f"median {middle:.2f}×, least {rated[0][0]:.2f}× ({short(rated[0][1])})")


def small_layers(profile):
    lines = Lines(profile, "bar", ("bf16", "f32"), (4, 8))
    rated = lines.rated()
    if not rated:
        return no_cudnn(lines)
    return lines.answer(rated, rated[0][0] < 1, True, f"least {rated[0][0]:.2f}× ({short(rated[0][1])})")


def winograd(profile):
    """Of forward passes and input gradients that Winograd's trial kernel ran for: the fastest other way over it."""
    found = []
    for r in Lines(profile, "bar", ("bf16",)).records:
        ways = dict(r.get("ways", {}))
        if own := ways.pop("winograd", None):
            found.append((min([r["seconds"], *ways.values()]) / own, r))
    if not found:
        return Answer(None, "not measured")
    middle, most = statistics.median(v for v, _ in found), max(found, key=lambda pair: pair[0])
    return Answer(middle > 1, f"median {middle:.2f}×, most {most[0]:.2f}× ({short(most[1])}), {len(found)} lines")


def workspace(profile):
    lines = Lines(profile, "bar", ("bf16", "f32"))
    lines.records += Lines(profile, "bandwidth", ("bf16", "f32")).records
    lines.asked += Lines(profile, "bandwidth", ("bf16", "f32")).asked
    if not lines.records:
        return Answer(None, "not measured")
    most = max((r for r in profile["results"] if "workspace" in r), key=lambda r: r["workspace"])
    return lines.answer(lines.records, most["workspace"] > 64e6, True, f"at most {most['workspace'] * 1e-6:.1f} MB ({short(most)})")


def bandwidth(profile):
    lines = Lines(profile, "bandwidth", ("bf16", "f32"))
    if not lines.records:
        return Answer(None, "not measured")
    least = min(lines.records, key=lambda r: r["of_copy"])
    below = sum(r["of_copy"] < 0.8 for r in lines.records)
    return lines.answer(lines.records, below > 0, True,
                        f"least {100 * least['of_copy']:.0f} % ({short(least)}), {below} of {len(lines.records)} lines below")


def amounts(measured, case, dtype, key="seconds"):
    """{who: least amount} of a file of benchmarks."""
    found = {}
    for r in measured["results"]:
        if r["case"] == case and r["dtype"] == dtype and r.get(key):
            found[r["who"]] = min(r[key], found.get(r["who"], r[key]))
    return found


def limits(measured, case, most):
    """Milliseconds of voxgrad, each dtype within its limits, of which the first is the bar and the next what is wanted then."""
    texts, states = [], []
    for dtype, limit in most.items():
        ours = amounts(measured, case, dtype).get("voxgrad")
        states.append(None if ours is None else ours * 1e3 <= limit[0])
        texts.append(f"{dtype} not measured" if ours is None else f"{ours * 1e3:.2f} ms in {dtype}"
                     + (f", then {limit[1]} {'met' if ours * 1e3 <= limit[1] else 'missed'}" if len(limit) > 1 else ""))
    if states.count(None) == len(states):
        return Answer(None, "not measured")
    return Answer(False if False in states else None if None in states else True, ", ".join(texts))


def beside(measured):
    of = amounts(measured, f"step/{LARGE}", "bf16")
    if "voxgrad" not in of:
        return Answer(None, "not measured")
    parts, states = [f"{of['voxgrad'] * 1e3:.2f} ms, then 14 {'met' if of['voxgrad'] <= 14e-3 else 'missed'}"], [of["voxgrad"] <= 20e-3]
    eager = [v for who, v in of.items() if who in goals.EAGER]
    best = [v for who, v in of.items() if who.startswith("pytorch")]
    for name, times, least in (("eager", eager, 2), ("its best mode", best if len(best) > len(eager) else [], 1.5)):
        parts.append(f"{min(times) / of['voxgrad']:.2f}× as fast as {name}" if times else f"{name} of PyTorch not measured")
        states.append(min(times) / of["voxgrad"] >= least if times else None)
    return Answer(False if False in states else None if None in states else True, "; ".join(parts))


def memory(measured):
    of = amounts(measured, f"step/{LARGE}", "bf16", "memory")
    peers = [v for who, v in of.items() if who.startswith("pytorch")]
    if "voxgrad" not in of or not peers:
        return Answer(None, "PyTorch not measured" if "voxgrad" in of else "not measured")
    ours = of["voxgrad"]
    return Answer(ours <= min(peers) / 2, f"{ours * 1e-6:,.0f} MB, {ours / min(peers):.2f} of PyTorch's least")


class Bar(NamedTuple):
    text: str
    step: str
    answer: Callable  # of the contents of a file


BARS = (
    Bar("3x3x3 layers of nnU-Net's network for 2 x 128^3 in bf16: at least as fast as the best cuDNN plan in the median of each of the three "
        "passes, those with outputs of 128^3 at least 1.3 times, none below 0.9 times", LAYERS, layers_bf16),
    Bar("the same in tf32: at least as fast as the best cuDNN plan in the median", LAYERS, layers_tf32),
    Bar("the same at 8^3 and 4^3, in either: at least as fast as the best cuDNN plan", LAYERS, small_layers),
    Bar("Winograd along H by mma, a trial, on the same layers in bf16 of more than 32 channels: faster than every other way in the "
        "median; it goes where that is missed", LAYERS, winograd),
    Bar("workspace of every layer: at most 64 MB", LAYERS, workspace),
    Bar("first layers of 1 to 4 channels, heads of 2 to 4 outputs and depthwise, 2 x 128^3: at least 80 % of the rate of copies", LAYERS,
        bandwidth),
    Bar("step of nnU-Net 32-320, 2 x 64^3: at most 7 ms in bf16, 14 ms in f32", NETWORKS,
        lambda m: limits(m, f"step/{SMALL}", {"bf16": (7,), "f32": (14,)})),
    Bar("step of nnU-Net 32-320, 2 x 128^3 in bf16: at least twice as fast as PyTorch eager, 1.5 times as its best mode; at most 20 ms, "
        "then 14", BESIDE, beside),
    Bar("its peak memory: at most half of PyTorch's", BESIDE, memory),
    Bar("its inference in bf16: at most 4 ms for 128^3, then 2.5", NETWORKS, lambda m: limits(m, f"inference/{ONE}", {"bf16": (4, 2.5)})),
)


def answered(bar, files):
    """What the files of a GPU say, the newest first that say something. files: contents, of a profile or of benchmarks."""
    least = Answer(None, "not measured")
    for stored in sorted(files, key=lambda f: about_of(f).get("date", ""), reverse=True):
        is_profile = any(r["case"] == "plan" for r in stored["results"])
        if is_profile != (bar.step == LAYERS):
            continue
        found = bar.answer(stored)._replace(commit=about_of(stored).get("commit", ""))
        if found.met is not None:
            return found
        least = found if least.value == "not measured" else least
    return least


def about_of(stored):
    return stored.get("about") or stored.get("machine") or {}


def rows(files, root=history.ROOT):
    """(bar, state, value) of each bar."""
    out = []
    for bar in BARS:
        a = answered(bar, files)
        state = "unanswered" if a.met is None else "met" if a.met else "missed"
        value = a.value
        if a.met is not None and history.changed_since(a.commit, root) is not False:
            state, value = "unanswered", f"{state} with {value}, {history.words(a.commit, root)}"
        out.append((bar, state, value))
    return out


def table(files, root=history.ROOT):
    """Lines of RESULTS.md."""
    lines = ["Bars of speed, and the step of `tools/gpu_check --bench` that answers each.", "",
             "| bar | step | state | value |", "|---|---|---|---|"]
    for bar, state, value in rows(files, root):
        lines.append(f"| {bar.text} | {bar.step} | {state if state == 'met' else f'**{state}**'} | {value} |")
    return lines + [""]
