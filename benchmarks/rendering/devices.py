"""The part of RESULTS.md about GPUs: what tools/gpu_check saw on each, what no GPU has checked yet, and benchmarks. Nothing is estimated:
what is in no file under results/<device> is named as unchecked."""
import json
import pathlib
import sys

import bars
import goals
import table

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "tools"))

import gpu_check_steps  # noqa: E402

PEERS = goals.EAGER + goals.COMPILED


class Device:
    """The files of one folder under results."""

    def __init__(self, folder):
        self.folder = folder
        self.checks = [json.loads(path.read_text()) for path in sorted(folder.glob("gpu_check*.json"))]
        measured = sorted([*folder.glob("compare*.json"), *folder.glob("bench*.json")])
        self.measured = [(path, json.loads(path.read_text())) for path in measured]

    def is_real(self):
        return not any(c["about"].get("emulated", False) for c in self.checks)

    def name(self):
        abouts = [c["about"] for c in self.checks] + [m.get("about") or m.get("machine") for _, m in self.measured]
        return next((a["device"] for a in abouts if a.get("device")), self.folder.name)


def devices(results):
    found = [Device(f) for f in sorted(results.glob("*")) if f.is_dir() and f.name != "cpu"] if results.exists() else []
    return [d for d in found if d.is_real() and (d.checks or d.measured)]


def passed_on(found):
    return {s["name"] for d in found for c in d.checks for s in c["steps"] if s["state"] == "passed"}


def unchecked(found):
    """Steps of gpu_check that have passed on no GPU."""
    passed = passed_on(found)
    if "layers beside PyTorch" in passed:
        passed.add("benchmarks")  # which then takes their place
    return [step for step in gpu_check_steps.STEPS if step.name not in passed]


def check_lines(check):
    about, versions = check["about"], check["about"]["versions"]
    libraries = ", ".join(f"{name} {version}" for name, version in versions.items())
    changed = " with changes" if about["modified"] else ""
    lines = [f"`tools/gpu_check`, {about['date']}, commit {about['commit'][:12]}{changed}, {about['seconds']} s; {libraries}.", "",
             "| step | result | seconds | last words |", "|---|---|---|---|"]
    for s in check["steps"]:
        state = s["state"] if s["state"] == "passed" else f"**{s['state']}**"
        lines.append(f"| {s['name']} | {state} | {s['seconds']} | {s['note'].replace('|', '/')} |")
    return lines


def fastest(records, names):
    return min((r for r in records if r["who"] in names), key=lambda r: r["seconds"], default=None)


def benchmark_lines(path, measured):
    groups = {}
    for r in measured["results"]:
        groups.setdefault((r["case"], r["dtype"]), []).append(r)
    about = measured.get("about") or measured.get("machine")
    facts = [f"{key} {about[key]}" for key in ("date", "commit", "cudnn", "pytorch", "pytorch_cuda", "pytorch_cudnn") if about.get(key)]
    lines = [f"Benchmarks, `{path.parent.name}/{path.name}`: {', '.join(facts)}. Medians of runs that are queued between two waits; "
             "ratio = faster peer / voxgrad.", "", "| work | dtype | cuDNN | PyTorch | voxgrad | ratio |", "|---|---|---|---|---|---|"]
    for (case, dtype), records in groups.items():
        ours, cudnn, torch = fastest(records, ("voxgrad",)), fastest(records, ("cudnn",)), fastest(records, PEERS)
        if ours is None or "relative_error" in ours:
            continue
        peer = min((r["seconds"] for r in (cudnn, torch) if r), default=None)
        cells = [case, dtype, table.amount(cudnn, "seconds") if cudnn else "–",
                 f"{torch['who']}: {table.amount(torch, 'seconds')}" if torch else "–", table.amount(ours, "seconds"),
                 f"{peer / ours['seconds']:.2f}×" if peer else "–"]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def section(results):
    """Lines of RESULTS.md."""
    found = devices(results)
    lines = ["# GPUs", ""]
    if not found:
        lines += ["**Nothing has run on a GPU yet.** The CUDA kernels have run on the emulator of `tests/emulator`, and nvcc compiles them.", ""]
    for d in found:
        lines += [f"## {d.name()}", ""]
        for check in d.checks:
            lines += check_lines(check) + [""]
        for path, measured in d.measured:
            lines += benchmark_lines(path, measured) + [""]
    left = unchecked(found)
    if left:
        lines += ["Unchecked: no GPU has passed these steps of `tools/gpu_check`.", ""]
        lines += [f"- **{step.name}**: {step.shows}" for step in left] + [""]
    else:
        lines += ["Every step of `tools/gpu_check` has passed on a GPU.", ""]
    lines += bars.unanswered(passed_on(found))
    return lines
