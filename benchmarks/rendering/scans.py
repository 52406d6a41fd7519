"""The parts of RESULTS.md about whole scans and volumes: what benchmarks/predict_scan and resample_volume stored, of each machine."""
import json

import table

PARTS = ["reading", "preprocessing", "network", "resampling and labels", "other", "writing"]


def bar(b):
    return f"{b['what']} {b['value']:.3g} {b['unit']}, ≤ {b['limit']:g}: {table.verdict(b['value'] <= b['limit'])}"


def section(folder):
    lines = []
    for path in sorted(folder.glob("*.json")):
        stored = json.loads(path.read_text())
        about = stored["about"]
        machine = f"{about['cpu']}, {about['cores']} cores, {about['date']}, commit {about['commit']}"
        lines += ["## Whole scans", "", f"{machine}{'; ' + about['note'] if about['note'] else ''}. By `benchmarks/predict_scan`: `voxgrad predict`",
                  f"from NIfTI to NIfTI, f32, no mirroring, synthetic scans, untrained U-Nets of {about['base_features']} features in the first stage",
                  "(8 where there are 104 classes or several cases). Stages of a folder run side by side, so that their times exceed the sum.", "",
                  "| scan | seconds | " + " | ".join(PARTS) + " | memory | bars |", "|---" * (len(PARTS) + 4) + "|"]
        for row in stored["rows"]:
            parts = [f"{row['parts'][p]:.1f}" if p in row["parts"] else "–" for p in PARTS]
            bars = "; ".join(bar(b) for b in row["bars"]) or "–"
            lines.append(f"| {row['name']} | {row['seconds']:.1f} | " + " | ".join(parts) + f" | {row['memory_gb']:.2f} GB | {bars} |")
        lines.append("")
    return lines


def resampling(folder):
    lines = []
    for path in sorted(folder.glob("*.json")):
        stored = json.loads(path.read_text())
        about = stored["about"]
        note = f"; {about['note']}" if about["note"] else ""
        lines += ["## Resampling of volumes", "",
                  f"{about['cpu']}, {about['threads']} threads beside SciPy {about['scipy']} on one, {about['date']}, commit {about['commit']}{note}.",
                  "By `benchmarks/resample_volume`, in turns.", "",
                  "| volume | ours | scipy.ndimage.zoom | ratio | difference / range | bar: ≥ 20×, ≤ 1e-4 |", "|---" * 6 + "|"]
        for row in stored["rows"]:
            ratio = row["scipy_seconds"] / row["seconds"]
            lines.append(f"| {row['name'].split('/')[1]} | {row['seconds']:.3f} s | {row['scipy_seconds']:.2f} s | {ratio:.0f}× | "
                         f"{row['difference']:.1e} | {table.verdict(ratio >= 20 and row['difference'] <= 1e-4)} |")
        lines.append("")
    return lines
