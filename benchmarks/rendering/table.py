"""RESULTS.md."""
import datetime
import statistics

import goals


def amount(record, key):
    if key == "memory":
        return f"{record['memory'] * 1e-6:,.0f} MB"
    ms = record["seconds"] * 1e3
    text = f"{ms:,.0f} ms" if ms >= 100 else f"{ms:.1f} ms" if ms >= 10 else f"{ms:.2f} ms" if ms >= 0.2 else f"{ms:.3f} ms"
    return text + (f", {record['flops'] / record['seconds'] * 1e-9:.0f} GFLOP/s" if record["flops"] else "")


def verdict(met):
    return "met" if met else "**missed**"


def row(results, goal):
    """None where neither side was measured."""
    ours = results.fastest(goal.case, goal.dtype, ("voxgrad",), goal.key)
    peer = results.fastest(goal.case, goal.dtype, goal.peers, goal.key)
    if ours is None or (peer is None and goal.peers == goals.COMPILED):
        return None
    ratio = peer[goal.key] / ours[goal.key] if peer and ours[goal.key] > 0 else None
    cells = [goal.title, goal.dtype, f"{peer['who']}: {amount(peer, goal.key)}" if peer else "–", amount(ours, goal.key)]
    cells.append(f"{ratio:.2f}×" if ratio is not None else "–")
    cells.append("–" if goal.bar is None else f"≥ {goal.bar:.3g}× " + ("not measured" if ratio is None else verdict(ratio >= goal.bar)))
    return cells


def sweep_row(results, sweep, step, dtype):
    """Worst and median GFLOP/s of one pass over a sweep."""
    title, prefix, least = sweep
    cases = [c for c in results.cases(prefix, dtype) if c.endswith("/" + step) and int(c.split("/")[1].split()[-1]) >= least]
    rates = [results.rate(case, dtype, ("voxgrad",)) for case in cases]
    if not rates:
        return None
    worst, middle = min(rates), statistics.median(rates)
    bar = f"worst ≥ {goals.LEAST_OF_MEDIAN} of the median: {verdict(worst / middle >= goals.LEAST_OF_MEDIAN)}"
    return [f"{title}: {step}", dtype, "–", f"{worst:.0f} to {max(rates):.0f}, median {middle:.0f} GFLOP/s", f"{worst / middle:.2f}", bar]


def precision_row(results, dtype):
    errors = {}
    for case in results.cases("precision/", dtype):
        errors[case.removeprefix("precision/")] = results.ours(case, dtype)["relative_error"]
    if not errors:
        return None
    bad = [case for case, e in errors.items() if e is None or not e <= goals.LARGEST_ERROR]
    worst = max(errors, key=lambda c: float("inf") if errors[c] is None else errors[c])
    bar = f"≤ {goals.LARGEST_ERROR:g}: {verdict(not bad)}" + (f" by {len(bad)} of {len(errors)}" if bad else "")
    return [f"error of convolutions against f64, worst of {len(errors)} ({worst})", dtype, "–", f"{errors[worst] or float('nan'):.1e} of max abs y",
            "–", bar if dtype == "f32" else "–"]


def rows(results):
    found = [row(results, g) for g in goals.all_goals(results)]
    for dtype in ("f32", "bf16"):
        found += [sweep_row(results, sweep, step, dtype) for sweep in goals.SWEEPS for step in goals.PASSES]
        found.append(precision_row(results, dtype))
    return [cells for cells in found if cells]


def measured_again(results):
    """Records that name a commit of their own were measured after the others."""
    later = {}
    for r in (r for records in results.by_case.values() for r in records):
        if r.get("commit", results.about["commit"]) != results.about["commit"]:
            later.setdefault(r["commit"], set()).add(r["case"].rsplit("/", 1)[0].rstrip("0123456789 "))
    return [f"Measured again at commit {commit[:12]}: {', '.join(sorted(cases))}." for commit, cases in later.items()]


def document(results, path, pictures):
    about = results.about
    libraries = f"PyTorch {about['pytorch']} with oneDNN {about['pytorch_onednn']}" if "pytorch" in about else "no PyTorch"
    lines = [
        "# Measured speed",
        "",
        f"{about['cpu']}, {about['cores']} cores, {about['memory'] / 2**30:.0f} GiB, {about['system']}; {about['isa']}, {results.threads} threads; "
        f"{libraries}; {datetime.date.fromisoformat(about['date']).isoformat()}, commit {about['commit'][:12]}"
        f"{' with changes' if about['modified'] else ''}.",
        *measured_again(results),
        "",
        "Made by `benchmarks/compare` and `benchmarks/render`. Each figure is the median of several runs, in which the contenders took turns "
        "on the same work in the same minutes. The peer is PyTorch in the faster of its two layouts (contiguous, channels_last_3d); "
        f"ratio = peer / voxgrad. All records, other thread counts and oneDNN among them: `{'/'.join(path.parts[-3:])}`.",
        "",
        "Layers are named by channels in and out, `/2` stride 2, `T` transposed, and the extent of the input; ops by the tensor "
        "they read. Memory is what the process holds at most while it trains above what it held before the first step.",
        "",
        "| work | dtype | peer | voxgrad | ratio | bar |",
        "|---|---|---|---|---|---|",
    ]
    lines += ["| " + " | ".join(cells) + " |" for cells in rows(results)]
    for title, name in pictures:
        lines += ["", f"![{title}]({name})"]
    return "\n".join(lines) + "\n"
