#!/usr/bin/env python3
"""Every file below folders: what voxgrad reads, beside what nibabel, SimpleITK and pydicom read.

  image_files.py FOLDER .. [--voxgrad build/release/voxgrad]
      (needs pip install nibabel SimpleITK pydicom pylibjpeg pylibjpeg-libjpeg pylibjpeg-openjpeg numpy)

A line per file: "agrees", with shape, sum and two voxels, "refused" with the sentence, or "DIFFERS" and how; ends with 1 if any differs.
Files of a DICOM series are looked at one by one. --table writes what the other programs read as rows of
tests/units/io/real_values_unit.cpp.
"""

import argparse
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import SimpleITK
from pydicom.pixels import apply_color_lut, apply_modality_lut

TO_RAS = np.diag([-1.0, -1, 1, 1])
VOLUMES = (
    ".nii",
    ".nii.gz",
    ".hdr",
    ".mgz",
    ".mgh",
    ".nrrd",
    ".nhdr",
    ".mha",
    ".mhd",
    ".dcm",
    ".tif",
    ".png",
    ".mnc",
    ".HEAD",
    ".PAR",
)


def read(voxgrad, path, *arguments):
    """{C, D, H, W}, affine of (d, h, w) to RAS, and what was said."""
    with tempfile.TemporaryDirectory() as folder:
        out = folder + "/x.npz"
        done = subprocess.run([voxgrad, "convert", "--in", str(path), "--out", out, *arguments], capture_output=True, text=True)
        said = done.stderr.strip()
        if done.returncode:
            return None, None, said
        with np.load(out) as z:
            x = z["data"]
            return (x if x.ndim == 4 else x[None]), z["affine"], said


def reversed_axes(affine):
    """An affine of (i, j, k) as one of (k, j, i)."""
    return affine[:, [2, 1, 0, 3]]


def by_nibabel(path):
    image = nibabel.load(path)
    x = np.asanyarray(image.dataobj)
    if x.dtype.names:  # colours
        x = np.stack([x[n] for n in x.dtype.names], -1)
    if np.iscomplexobj(x):
        x = np.stack([x.real, x.imag], -1)
    while x.ndim < 3:
        x = x[..., None]
    x = x.reshape(*x.shape[:3], -1, order="F")
    affine = np.array(image.affine)
    scale = (
        {"micron": 1e-3, "meter": 1e3}.get(image.header.get_xyzt_units()[0], 1) if hasattr(image.header, "get_xyzt_units") else 1
    )
    affine[:3] *= scale
    return x.transpose(3, 2, 1, 0), reversed_axes(affine)


def by_itk(path):
    image = SimpleITK.ReadImage(str(path))
    x = SimpleITK.GetArrayFromImage(image)
    n = image.GetDimension()
    if image.GetNumberOfComponentsPerPixel() > 1:
        x = np.moveaxis(x, -1, 0)
    elif n < 4:
        x = x[None]
    while x.ndim < 4:
        x = x[:, None]
    affine = np.eye(4)
    m = min(n, 3)
    affine[:m, :m] = (np.array(image.GetDirection()).reshape(n, n) * np.array(image.GetSpacing()))[:m, :m]
    affine[:m, 3] = image.GetOrigin()[:m]
    return x, reversed_axes(TO_RAS @ affine)


def group(data, frame, sequence, key):
    for place in (
        data.get("PerFrameFunctionalGroupsSequence", [])[frame : frame + 1],
        data.get("SharedFunctionalGroupsSequence", []),
    ):
        for item in place:
            if sequence in item and key in item[sequence].value[0]:
                return item[sequence].value[0][key].value
    return data.get(key)


def by_pydicom(path):
    """One object; frames by their height along the normal. No affine where nothing says it."""
    data = pydicom.dcmread(path, force=True)
    x = data.pixel_array
    frames = int(data.get("NumberOfFrames") or 1)
    if data.PhotometricInterpretation == "PALETTE COLOR":
        x = apply_color_lut(x, data)
        x = x >> 8 if x.dtype == np.uint16 else x
    elif data.SamplesPerPixel == 1:
        x = apply_modality_lut(x, data)
    colours = data.SamplesPerPixel == 3 or data.PhotometricInterpretation == "PALETTE COLOR"
    x = x.reshape(frames, data.Rows, data.Columns, 3 if colours else 1)
    slopes = [group(data, k, "PixelValueTransformationSequence", "RescaleSlope") for k in range(frames)]
    if "RescaleSlope" not in data and any(s is not None for s in slopes):
        offsets = [float(group(data, k, "PixelValueTransformationSequence", "RescaleIntercept")) for k in range(frames)]
        x = x * np.array(slopes, float)[:, None, None, None] + np.array(offsets)[:, None, None, None]
    places = [group(data, k, "PlanePositionSequence", "ImagePositionPatient") for k in range(frames)]
    turn = group(data, 0, "PlaneOrientationSequence", "ImageOrientationPatient")
    spacing = group(data, 0, "PixelMeasuresSequence", "PixelSpacing")
    affine = None
    if turn and spacing and all(p is not None for p in places):
        right, down = np.array(turn[:3], float), np.array(turn[3:], float)
        normal = np.cross(right, down)
        order = np.argsort([normal @ np.array(p, float) for p in places], kind="stable")
        x = x[order]
        first, last = (np.array(places[order[i]], float) for i in (0, -1))
        thickness = group(data, 0, "PixelMeasuresSequence", "SliceThickness")
        gap = group(data, 0, "PixelMeasuresSequence", "SpacingBetweenSlices")
        affine = np.eye(4)
        affine[:3, 2], affine[:3, 1], affine[:3, 3] = right * float(spacing[1]), down * float(spacing[0]), first
        affine[:3, 0] = (last - first) / (frames - 1) if frames > 1 else normal * float(thickness or gap or 1)
        affine = TO_RAS @ affine
    return np.moveaxis(x, -1, 0), affine


def reference(path):
    name = path.name
    if name.endswith(".dcm"):
        return by_pydicom(path)
    if name.endswith((".nrrd", ".nhdr", ".mha", ".mhd", ".tif", ".png")):
        return by_itk(path)
    return by_nibabel(path)


def difference(x, affine, other, other_affine):
    """Empty where both are the same."""
    if x.shape != other.shape:
        return f"shape {x.shape}, wanted {other.shape}"
    y, z = x.astype(float), other.astype(float)
    if not np.array_equal(np.isnan(y), np.isnan(z)):
        return "not a number in other places"
    most = np.nanmax(np.abs(y - z))
    if most > 2e-7 * max(1e-30, np.nanmax(np.abs(z))):
        return f"values differ by {most:g}"
    if other_affine is not None and np.abs(affine - other_affine).max() > 1e-4:
        return "affine\n" + str(affine) + "\nwanted\n" + str(other_affine)
    return ""


def row(name, x, affine):
    """{file, {D, H, W, C}, sum, value in the middle, {affine of (d, h, w), row by row}}."""
    middle = float(x[tuple(n // 2 for n in x.shape)])
    c, d, h, w = x.shape
    numbers = ", ".join(f"{v:.9g}" for v in affine[:3].ravel()) if affine is not None else ""
    return f'      {{"{name}", {{{d}, {h}, {w}, {c}}}, {np.nansum(x.astype(float)):.12g}, {middle:.9g}, {{{numbers}}}}},'


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--voxgrad", default="build/release/voxgrad")
    parser.add_argument("--table", action="store_true")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    counts = {"agrees": 0, "refused": 0, "DIFFERS": 0}
    for folder in given.folders:
        for path in sorted(p for p in folder.rglob("*") if p.is_file() and p.name.endswith(VOLUMES)):
            try:
                other = reference(path)
            except Exception as error:  # whatever the other program says
                other = repr(error)[:120]
            if given.table:
                if isinstance(other, tuple):
                    print(row(path.relative_to(folder), *other))
                continue
            x, affine, said = read(given.voxgrad, path)
            if x is None:
                word, text = "refused", said + ("" if isinstance(other, tuple) else f" [reference: {other}]")
            elif not isinstance(other, tuple):
                word, text = "DIFFERS", f"read as {x.shape}, the reference refuses it: {other}"
            else:
                text = difference(x, affine, *other)
                word = "DIFFERS" if text else "agrees"
                middle = tuple(n // 2 for n in x.shape)
                text = (
                    text
                    or f"{x.dtype} {x.shape}, sum {np.nansum(x.astype(float)):.10g}, at {middle} {x[middle]:.7g}, spacing "
                    + " ".join(f"{s:.5g}" for s in np.linalg.norm(affine[:3, :3], axis=0))
                    + ("" if other[1] is not None else ", no place")
                )
            counts[word] += 1
            print(f"{word:8} {path.relative_to(folder)}: {text}" + (f" | {said}" if x is not None and said else ""), flush=True)
    if given.table:
        return
    print(", ".join(f"{n} {word}" for word, n in counts.items()))
    sys.exit(counts["DIFFERS"] > 0)


if __name__ == "__main__":
    main()
