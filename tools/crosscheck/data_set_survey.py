"""Small data sets for data_sets.py, and what is done with each."""

import json
import subprocess
import tempfile
from pathlib import Path

import nibabel
import numpy as np

SMALL = "data.folds=1 network.base_features=4 network.stages=2 train.steps=2 train.batch=1".split()
CASES = ("a", "b", "c")
SIZE = (12, 14, 16)  # (i, j, k)


def image(k, size=SIZE):
    """Noise with a bright box, and the box."""
    rng = np.random.default_rng(k)
    x, box = rng.integers(20, 60, size), np.zeros(size, np.uint8)
    box[tuple(slice(max(0, n // 2 - 2), n // 2 + 2) for n in size)] = 1
    return (x + 100 * box).astype(np.int16), box


class DataSet:
    """A folder in nnU-Net's layout."""

    def __init__(self, folder, **keys):
        self.folder = Path(folder)
        for part in ("imagesTr", "labelsTr"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        self.keys = {"channel_names": {"0": "CT"}, "labels": {"background": 0, "box": 1}, "numTraining": 3, "file_ending": ".nii.gz"}
        self.keys |= keys

    def write(self):
        keys = {k: v for k, v in self.keys.items() if v is not None}
        (self.folder / "dataset.json").write_text(json.dumps(keys))
        return self

    def put(self, case, channel, x, affine=np.eye(4)):
        nibabel.save(nibabel.Nifti1Image(x, affine), self.folder / f"imagesTr/{case}_{channel:04d}.nii.gz")

    def put_label(self, case, x, affine=np.eye(4)):
        nibabel.save(nibabel.Nifti1Image(x, affine), self.folder / f"labelsTr/{case}.nii.gz")


class Survey:
    def __init__(self, voxgrad, words):
        self.voxgrad, self.words = str(Path(voxgrad).resolve()), words
        self.scratch = Path(tempfile.mkdtemp(prefix="data_sets_"))
        self.counts = {"right": 0, "refused": 0, "WRONG": 0}

    def wanted(self, name):
        return not self.words or any(w in name for w in self.words)

    def folder(self, name):
        return self.scratch / name.replace(" ", "_").replace("/", "_")

    def say(self, verdict, name, text=""):
        self.counts[verdict] += 1
        print(f"{verdict:8} {name}: {' '.join(text.split())[:300]}", flush=True)

    def run(self, *arguments):
        done = subprocess.run([self.voxgrad, *map(str, arguments)], capture_output=True, text=True, timeout=300)
        lines = [x for x in (done.stdout + done.stderr).replace(str(self.scratch) + "/", "").splitlines() if "case/s" not in x]
        return done.returncode, "\n".join(x for x in lines if "step/s" not in x and "tile" not in x)

    def refused(self, name, d, *words):
        """Training ends with one error that has the words."""
        if not self.wanted(name):
            return
        out = self.folder(name + " run")
        status, said = self.run("train", "--data", d.folder, "--out", out, "--set", *SMALL)
        right = status == 1 and all(w in said for w in words)
        self.say("refused" if right else "WRONG", name, said)

    def works(self, name, d, *words, ending=".nii.gz", images=None, check=None, sets=(), absent=(), ids=CASES):
        """inspect, train, predict, evaluate; words that one of them says; check(folder of masks)."""
        if not self.wanted(name):
            return
        run, out = self.folder(name + " run"), self.folder(name + " masks")
        images = images or d.folder / "imagesTr"
        steps = [
            ("inspect", d.folder),
            ("train", "--data", d.folder, "--out", run, "--set", *SMALL, *sets),
            ("predict", "--model", run, "--in", images, "--out", out, "--format", ending),
            ("evaluate", "--pred", out, "--ref", d.folder / "labelsTr"),
        ]
        all_said = ""
        for step in steps:
            status, said = self.run(*step)
            all_said += said + "\n"
            if status:
                return self.say("WRONG", name, f"{step[0]}: {said[-400:]}")
        missing = [w for w in words if w not in all_said] + ["not " + w for w in absent if w in all_said]
        names = sorted(p.name[: -len(ending)] for p in out.glob("*" + ending))
        if names != sorted(ids):
            missing.append(f"masks {names}")
        wrong = check(out) if check else ""
        self.say("WRONG" if missing or wrong else "right", name, f"{missing} {wrong} of {all_said}" if missing or wrong else said[-120:])
