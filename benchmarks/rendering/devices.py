"""The part of RESULTS.md about GPUs: what tools/gpu_check saw on each, what no GPU has checked yet, and benchmarks. Nothing is estimated:
what is in no file under results/<device> is named as unchecked, and so is what was checked before the kernels changed."""
import json
import pathlib
import sys

import bars
import goals
import history
import table

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "tools"))

import gpu_check_steps  # noqa: E402

PEERS = goals.EAGER + goals.COMPILED


class Device:
    """The files of one folder under results, told apart by what is in them, whatever their names: checks of tools/gpu_check, profiles of
    layers, benchmarks."""

    def __init__(self, folder):
        self.folder = folder
        files = [(path, json.loads(path.read_text())) for path in sorted(folder.glob("*.json"))]
        self.checks = [stored for _, stored in files if "steps" in stored]
        results = [(path, stored) for path, stored in files if stored.get("results")]
        self.profiles = [(path, stored) for path, stored in results if is_profile(stored)]
        self.measured = [(path, stored) for path, stored in results if not is_profile(stored)]

    def is_real(self):
        return not any(c["about"].get("emulated", False) for c in self.checks)

    def results(self):
        return [stored for _, stored in self.profiles + self.measured]

    def name(self):
        abouts = [c["about"] for c in self.checks] + [bars.about_of(stored) for stored in self.results()]
        return next((a["device"] for a in abouts if a.get("device")), self.folder.name)


def is_profile(stored):
    return any(r["case"] in ("plan", "machine/ceilings") for r in stored["results"])


def devices(results):
    found = [Device(f) for f in sorted(results.glob("*")) if f.is_dir() and f.name != "cpu"] if results.exists() else []
    return [d for d in found if d.is_real() and (d.checks or d.results())]


def passed_on(found):
    """{name of a step: where it passed last}."""
    passed = {}
    for about, step in ((c["about"], s) for d in found for c in d.checks for s in c["steps"]):
        if step["state"] == "passed" and about["date"] >= passed.get(step["name"], about)["date"]:
            passed[step["name"]] = about
    return passed


def left_to_check(found, root):
    """Lines of RESULTS.md about steps of gpu_check that have passed on no GPU, or not since the kernels changed."""
    passed = passed_on(found)
    if "layers beside PyTorch" in passed:
        passed.setdefault("benchmarks", passed["layers beside PyTorch"])  # which then takes their place
    state = {step: history.changed_since(passed[step.name]["commit"], root) if step.name in passed else "never"
             for step in gpu_check_steps.STEPS}
    titles = {"never": "Unchecked: no GPU has passed these steps of `tools/gpu_check`.",
              True: "Not checked since the kernels changed: these steps passed on a GPU at the commit named, with other kernels than today's.",
              None: "Passed at the commit named; the history here does not tell whether the kernels changed since."}
    lines = []
    for which, title in titles.items():
        steps = [step for step in gpu_check_steps.STEPS if state[step] == which]
        lines += [title, ""] * bool(steps)
        for step in steps:
            when = "" if which == "never" else f" ({passed[step.name]['date']}, commit {passed[step.name]['commit'][:7]})"
            lines.append(f"- **{step.name}**{when}: {step.shows}")
        lines += [""] * bool(steps)
    return lines or ["Every step of `tools/gpu_check` has passed on a GPU with the kernels of today.", ""]


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
    about = bars.about_of(measured)
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


def profile_lines(path, profile):
    about = bars.about_of(profile)
    ceilings = next((r for r in profile["results"] if r["case"] == "machine/ceilings"), {})
    facts = [f"{key} {about[key]}" for key in ("date", "commit", "cudnn") if about.get(key)]
    facts += [f"copies {ceilings['copy'] * 1e-9:.0f} GB/s, products {ceilings['tf32'] * 1e-12:.0f} TFLOP/s in tf32 and "
              f"{ceilings['bf16'] * 1e-12:.0f} in bf16"] * bool(ceilings)
    lines = [f"Layers, `{path.parent.name}/{path.name}`: {', '.join(facts)}. cuDNN by the fastest engine that it offers, without casts of the "
             "weight, or as `--conv cudnn` runs it where that is faster; ratio = cuDNN / voxgrad; shares of the rates of copies and of the floor.",
             "",
             "| layer and pass | dtype | cuDNN | voxgrad | ratio | of copies | of the floor | way, and others |", "|---" * 8 + "|"]
    for r in profile["results"]:
        if "of_copy" not in r:
            continue
        best, ratio = r.get("cudnn_best"), bars.ratio(r)
        peers = [(r["cudnn"], "")] if "cudnn" in r else []
        peers += [(best["seconds"], f", engine {best['engine']}" + ", whose bits differ" * (not best["repeats"]))] if best else []
        peer = f"{min(peers)[0] * 1e3:.3f} ms{min(peers)[1]}" if peers else "–"
        ways = [r["choice"]["way"] if "choice" in r else r.get("kernel", "?").split("<")[0]]
        ways += [f"{way} {seconds * 1e3:.3f} ms" for way, seconds in r.get("ways", {}).items()]
        lines.append(f"| {r['case'].removeprefix('layers/')} | {r['dtype']} | {peer} | {r['seconds'] * 1e3:.3f} ms, "
                     f"{r['flops'] / r['seconds'] * 1e-12:.1f} TFLOP/s | {f'{ratio:.2f}×' if ratio else '–'} | {100 * r['of_copy']:.0f} % | "
                     f"{100 * r['of_floor']:.0f} % | {', '.join(ways)} |")
    return lines


def section(results, root=history.ROOT):
    """Lines of RESULTS.md."""
    found = devices(results)
    lines = ["# GPUs", ""]
    if not found:
        lines += ["**Nothing has run on a GPU yet.** The CUDA kernels have run on the emulator of `tests/emulator`, and nvcc compiles them.", ""]
        lines += bars.table([], root)
    for d in found:
        lines += [f"## {d.name()}", ""]
        lines += bars.table(d.results(), root)
        for check in d.checks:
            lines += check_lines(check) + [""]
        for path, profile in d.profiles:
            lines += profile_lines(path, profile) + [""]
        for path, measured in d.measured:
            lines += benchmark_lines(path, measured) + [""]
    return lines + left_to_check(found, root)
