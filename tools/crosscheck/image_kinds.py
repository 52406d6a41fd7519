#!/usr/bin/env python3
"""Makes NIfTI, Analyze, MGH and NumPy files of many kinds and compares what voxgrad reads of each with what was written.

  image_kinds.py [--voxgrad build/release/voxgrad] [WORD ..]
      (needs pip install nibabel SimpleITK pynrrd pydicom pillow tifffile imagecodecs numpy; WORDs: only names that hold one)

A line per image: "agrees", "refused" with the sentence where it is to be refused, or "DIFFERS"; ends with 1 if any differs.
"""

import argparse
import itertools
import sys
import tempfile
import warnings
from pathlib import Path

import image_files as files
import nibabel
import numpy as np

RNG = np.random.default_rng(7)
TURN, _ = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))


class Checks:
    def __init__(self, voxgrad, folder, words):
        self.voxgrad, self.folder, self.words = voxgrad, Path(folder), words
        self.counts = {"agrees": 0, "refused": 0, "DIFFERS": 0}

    def path(self, name):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def say(self, word, name, text=""):
        self.counts[word] += 1
        print(f"{word:8} {name}: {text}", flush=True)

    def wanted(self, name):
        return not self.words or any(w in name for w in self.words)

    def reads(self, name, path, x, affine=None, *arguments, said=""):
        """x {C, D, H, W}, affine of (d, h, w) to RAS mm."""
        if not self.wanted(name):
            return
        got, place, text = files.read(self.voxgrad, path, *arguments)
        if got is None:
            return self.say("DIFFERS", name, "refused: " + text[:300])
        wrong = files.difference(got, place, np.asarray(x), affine)
        if not wrong and said not in text:
            wrong = f"says {text!r}, wanted {said!r}"
        self.say("DIFFERS" if wrong else "agrees", name, wrong or text[:150])

    def refuses(self, name, path, *words, arguments=()):
        if not self.wanted(name):
            return
        got, _, text = files.read(self.voxgrad, path, *arguments)
        right = got is None and all(w in text for w in words)
        self.say("refused" if right else "DIFFERS", name, (f"read as {got.shape} " if got is not None else "") + text[:300])

    def by_reference(self, name, path, *arguments):
        if not self.wanted(name):
            return
        try:
            x, affine = files.reference(Path(path))
        except Exception as error:  # whatever the other program says
            got, _, text = files.read(self.voxgrad, path)
            said = text[:200] if got is None else f"read as {got.shape}"
            return self.say("refused", name, f"by the reference: {' '.join(str(error).split())[-120:]}; here: {said}")
        self.reads(name, path, x, affine, *arguments)


def random(shape, dtype):
    kind = np.dtype(dtype)
    if kind.kind in "ui":
        limits = np.iinfo(kind)
        low, high = max(limits.min, -(2**31)), min(limits.max, 2**31 - 1)
        return RNG.integers(low, high, shape, dtype=np.int64, endpoint=True).astype(kind)
    return (RNG.normal(size=shape) * 100).astype(np.float32).astype(kind)


def affine_of(spacing=(0.7, 1.1, 2.5), turn=TURN, origin=(11, -7, 33)):
    a = np.eye(4)
    a[:3, :3] = turn * np.array(spacing)
    a[:3, 3] = origin
    return a


def nifti(c):
    shape = (6, 5, 4)
    for dtype, order in itertools.product(["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8"], "<>"):
        for kind, ending in ((nibabel.Nifti1Image, ".nii"), (nibabel.Nifti2Image, ".nii.gz"), (nibabel.Nifti1Pair, ".img")):
            header = kind.header_class(endianness=order)
            header.set_data_dtype(np.dtype(dtype).newbyteorder(order))
            image = (
                kind(random(shape, dtype), affine_of(), header, dtype=dtype)
                if dtype in ("i8", "u8")
                else kind(random(shape, dtype), affine_of(), header)
            )
            name = f"nifti {dtype}{order} {kind.__name__}{ending}"
            path = c.path(
                f"n/{name.replace(' ', '_').replace('<', 'l').replace('>', 'b')}{'' if name.endswith(ending) else ending}"
            )
            nibabel.save(image, path)
            c.by_reference(name, path.with_suffix(".hdr") if ending == ".img" else path)
    for i, signs in enumerate(itertools.product((1, -1), repeat=3)):
        for order in itertools.permutations(range(3)):
            a = affine_of(turn=np.eye(3)[:, order] * signs)
            path = c.path("n/turn.nii")
            nibabel.save(nibabel.Nifti1Image(random(shape, "i2"), a), path)
            c.by_reference(f"nifti axes {order} {signs}", path)
    for n in (2, 4, 5, 6, 7):
        path = c.path("n/axes.nii.gz")
        full = ((6, 5, 4) + (3, 2, 2, 2))[:n] if n != 5 else (6, 5, 4, 1, 3)
        nibabel.save(nibabel.Nifti1Image(random(full, "i2"), affine_of()), path)
        c.by_reference(f"nifti {n} axes", path)
    for slope, inter in ((2.5, -3), (-1, 0), (1e-3, 1e4), (0, 5), (np.nan, 1), (1, np.nan), (np.inf, 0)):
        image = nibabel.Nifti1Image(random(shape, "i2"), affine_of())
        path = c.path("n/slope.nii")
        nibabel.save(image, path)
        raw = bytearray(path.read_bytes())
        raw[112:120] = np.array([slope, inter], "<f4").tobytes()
        path.write_bytes(raw)
        c.by_reference(f"nifti slope {slope} {inter}", path)
    for sform, qform in ((0, 1), (1, 0), (0, 0), (4, 2), (2, 1)):
        image = nibabel.Nifti1Image(random(shape, "u1"), affine_of())
        turned = affine_of(turn=np.linalg.qr(np.random.default_rng(5).normal(size=(3, 3)))[0])
        image.set_sform(turned, sform)
        image.set_qform(affine_of(turn=TURN * [1, 1, -1]), qform)
        path = c.path("n/form.nii")
        nibabel.save(image, path)
        c.by_reference(f"nifti sform {sform} qform {qform}", path)
    for unit, offset in (("micron", 16), ("meter", 16), ("unknown", 352)):
        image = nibabel.Nifti1Image(random(shape, "u1"), affine_of())
        image.header.set_xyzt_units(unit)
        path = c.path("n/unit.nii")
        nibabel.save(image, path)
        c.by_reference(f"nifti unit {unit}", path)
    sheared = affine_of()
    sheared[0, 2] += 0.9
    nibabel.save(nibabel.Nifti1Image(random(shape, "i2"), sheared), c.path("n/shear.nii"))
    c.by_reference("nifti sheared", c.path("n/shear.nii"))
    rgb = np.zeros(shape, [("R", "u1"), ("G", "u1"), ("B", "u1")])
    for n in rgb.dtype.names:
        rgb[n] = random(shape, "u1")
    nibabel.save(nibabel.Nifti1Image(rgb, affine_of()), c.path("n/rgb.nii"))
    c.by_reference("nifti RGB", c.path("n/rgb.nii"))
    for kind in ("c8", "c16"):
        nibabel.save(
            nibabel.Nifti1Image((random(shape, "f4") + 1j * random(shape, "f4")).astype(kind), affine_of()), c.path("n/complex.nii")
        )
        c.by_reference("nifti complex " + kind, c.path("n/complex.nii"))
        nibabel.save(nibabel.Nifti1Image((random((6, 5, 4, 2), "f4") * 1j).astype(kind), affine_of()), c.path("n/complex4.nii"))
        c.refuses("nifti complex 4-D " + kind, c.path("n/complex4.nii"), "complex4.nii")
    far = np.full(shape, 1e300)
    nibabel.save(nibabel.Nifti1Image(far, affine_of()), c.path("n/far.nii"))
    c.refuses("nifti f64 beyond f32", c.path("n/far.nii"), "f32")
    for kind, value in (("i8", 2**40), ("u8", 2**63), ("u4", 2**32 - 1)):
        nibabel.save(nibabel.Nifti1Image(np.full(shape, value, kind), affine_of(), dtype=kind), c.path(f"n/wide{kind}.nii"))
        c.refuses(f"nifti {kind} beyond i32", c.path(f"n/wide{kind}.nii"), "i32")
    odd = random(shape, "f4")
    odd[0, 0, 0], odd[1, 1, 1], odd[2, 2, 2] = np.nan, np.inf, -np.inf
    nibabel.save(nibabel.Nifti1Image(odd.astype("f8"), affine_of()), c.path("n/nan.nii"))
    got, _, said = files.read(c.voxgrad, c.path("n/nan.nii"))
    same = got is not None and np.array_equal(got[0].transpose(2, 1, 0), odd, equal_nan=True)
    c.say("agrees" if same else "DIFFERS", "nifti not finite", said[:200])
    import bz2

    c.path("n/packed.nii.bz2").write_bytes(bz2.compress(c.path("n/shear.nii").read_bytes()))
    c.refuses("nifti bz2", c.path("n/packed.nii.bz2"), "bzip2")
    for kind in (nibabel.AnalyzeImage, nibabel.Spm99AnalyzeImage, nibabel.Spm2AnalyzeImage):
        image = kind(random(shape, "i2"), np.diag([-2.0, 3, 4, 1]))
        path = c.path(f"n/{kind.__name__}.img")
        nibabel.save(image, path)
        c.by_reference(f"analyze {kind.__name__}", path.with_suffix(".hdr"))
    for dtype in ("u1", "i2", "i4", "f4"):
        for full in (shape, (6, 5, 4, 3)):
            nibabel.save(nibabel.MGHImage(random(full, dtype), affine_of()), c.path("n/m.mgz"))
            c.by_reference(f"mgz {dtype} {len(full)}", c.path("n/m.mgz"))


def arrays(c):
    for dtype, order, fortran in itertools.product(
        ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8", "?"], "<>", (False, True)
    ):
        for shape in ((5, 4), (3, 5, 4), (2, 3, 5, 4)):
            x = (random(shape, "u1") > 99) if dtype == "?" else random(shape, dtype)
            x = x.astype(np.dtype(dtype).newbyteorder(order))
            path = c.path("a/x.npy")
            np.save(path, np.asfortranarray(x) if fortran else x)
            c.reads(f"npy {dtype}{order} {len(shape)} fortran {fortran}", path, x.reshape((1,) * (4 - len(shape)) + shape))
    x, y = random((3, 5, 4), "f4"), random((3, 5, 4), "u1")
    np.savez_compressed(c.path("a/two.npz"), image=x, label=y)
    c.refuses("npz of two arrays", c.path("a/two.npz"), "--array", "image", "label")
    c.reads("npz by name", c.path("a/two.npz"), y[None], None, "--array", "label")
    np.savez_compressed(c.path("a/placed.npz"), data=x, spacing=[3.0, 2, 1])
    c.reads(
        "npz with spacing", c.path("a/placed.npz"), x[None], np.array([[0, 0, 1.0, 0], [0, 2, 0, 0], [3, 0, 0, 0], [0, 0, 0, 1]])
    )
    np.save(c.path("a/o.npy"), np.array([1, None]), allow_pickle=True)
    c.refuses("npy of objects", c.path("a/o.npy"), "objects")
    np.save(c.path("a/c.npy"), x.astype("c8"))
    c.refuses("npy complex", c.path("a/c.npy"), "c8")
    np.save(c.path("a/s.npy"), np.float32(3))
    c.refuses("npy of one number", c.path("a/s.npy"), "axes")
    np.save(c.path("a/far.npy"), np.full((2, 2), 1e300))
    c.refuses("npy f64 beyond f32", c.path("a/far.npy"), "f32")
    np.save(c.path("a/rec.npy"), np.zeros((2, 2), [("a", "f4"), ("b", "i4")]))
    c.refuses("npy of records", c.path("a/rec.npy"), "records")


def run(doc, *kinds):
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", help="only images whose name holds one of them")
    parser.add_argument("--voxgrad", default="build/release/voxgrad")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        c = Checks(given.voxgrad, folder, given.words)
        for make in kinds:
            make(c)
    print(", ".join(f"{n} {word}" for word, n in c.counts.items()))
    sys.exit(c.counts["DIFFERS"] > 0)


if __name__ == "__main__":
    run(__doc__, nifti, arrays)
