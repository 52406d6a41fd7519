#!/usr/bin/env python3
"""Makes DICOM objects of many kinds with pydicom and compares what voxgrad reads with what was written.

dicom_kinds.py [--voxgrad build/release/voxgrad] [WORD ..]      (needs what image_kinds.py needs)
"""

import gzip
import random
import shutil

import numpy as np
from dicom_made import *
from image_kinds import run
from pydicom.uid import DeflatedExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless

RNG = np.random.default_rng(1)
SYNTAXES = (ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian)


def fresh(c, name):
    folder = c.path("d/" + name)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def multi_frame(c):
    for modality in ENHANCED:
        for syntax in SYNTAXES:
            for undefined in (False, True):
                x = RNG.integers(0, 60000, (3, 5, 6, 7))
                frames = [(t, s) for t in range(3) for s in range(5)]
                random.Random(1).shuffle(frames)
                content = lambda k: dict(
                    FrameContentSequence=dict(
                        StackID="1",
                        InStackPositionNumber=frames[k][1] + 1,
                        TemporalPositionIndex=frames[k][0] + 1,
                        DimensionIndexValues=[1, frames[k][1] + 1, frames[k][0] + 1],
                    )
                )
                d = enhanced(
                    modality,
                    np.stack([x[f] for f in frames]),
                    [ORIGIN + NORMAL * 2.5 * s for _, s in frames],
                    content,
                    syntax,
                    undefined,
                )
                c.reads(
                    f"enhanced {modality} {syntax.name} undefined {undefined}", save(d, c.path("d/e.dcm")), x, affine(NORMAL * 2.5)
                )
    directions = [(0, None), (1000, (1, 0, 0)), (1000, (0, 1, 0)), (1000, (0, 0, 1))]
    x = RNG.integers(0, 3000, (4, 3, 4, 4))
    frames = [(v, s) for s in range(3) for v in range(4)]
    random.Random(2).shuffle(frames)

    def diffusion(k):
        b, g = directions[frames[k][0]]
        item = dict(DiffusionBValue=float(b), DiffusionDirectionality="DIRECTIONAL" if g else "NONE")
        if g:
            item["DiffusionGradientDirectionSequence"] = Sequence([Dataset()])
            item["DiffusionGradientDirectionSequence"][0].DiffusionGradientOrientation = list(map(float, g))
        return dict(MRDiffusionSequence=item)

    d = enhanced("MR", np.stack([x[f] for f in frames]), [ORIGIN + NORMAL * 2.5 * s for _, s in frames], diffusion)
    c.reads("diffusion", save(d, c.path("d/e.dcm")), x[[0, 3, 2, 1]], affine(NORMAL * 2.5))
    slopes, intercepts = [1, 0.5, 2, 3], [0, -10, 5, 0.25]
    x = RNG.integers(0, 3000, (4, 5, 5))
    rescale = lambda k: dict(
        PixelValueTransformationSequence=dict(RescaleSlope=slopes[k], RescaleIntercept=intercepts[k], RescaleType="US")
    )
    d = enhanced("PT", x, [ORIGIN + NORMAL * 2.5 * k for k in range(4)], rescale)
    c.reads(
        "slopes per frame",
        save(d, c.path("d/e.dcm")),
        (x * np.array(slopes)[:, None, None] + np.array(intercepts)[:, None, None])[None],
    )
    x = RNG.integers(0, 3000, (2, 3, 4, 4))
    frames = [(v, s) for v in (1, 0) for s in range(3)]
    kind = lambda k: dict(
        MRImageFrameTypeSequence=dict(
            FrameType=["ORIGINAL", "PRIMARY", "MP"[frames[k][0]], "NONE"],
            ComplexImageComponent=("MAGNITUDE", "PHASE")[frames[k][0]],
        )
    )
    d = enhanced("MR", np.stack([x[f] for f in frames]), [ORIGIN + NORMAL * 2.5 * s for _, s in frames], kind)
    c.reads("magnitude and phase", save(d, c.path("d/e.dcm")), x)
    x = RNG.integers(0, 3000, (3, 4, 4))
    d = enhanced("CT", x, [ORIGIN - NORMAL * 2.5 * k for k in range(3)])
    c.reads("against the normal", save(d, c.path("d/e.dcm")), x[None, ::-1], affine(NORMAL * 2.5, origin=ORIGIN - NORMAL * 5))
    c.refuses("double position", save(enhanced("CT", x, [ORIGIN, ORIGIN, ORIGIN + NORMAL]), c.path("d/e.dcm")), "double")
    c.refuses(
        "gap", save(enhanced("CT", x, [ORIGIN, ORIGIN + NORMAL, ORIGIN + NORMAL * 3]), c.path("d/e.dcm")), "not evenly spaced"
    )
    bare = enhanced("MR", x, [ORIGIN + NORMAL * 2.5 * k for k in range(3)])
    del bare.PerFrameFunctionalGroupsSequence, bare.SharedFunctionalGroupsSequence
    c.reads("enhanced without groups", save(bare, c.path("d/e.dcm")), x[None], said="1 mm is assumed")


def loose(c):
    slopes, intercepts = [1, 0.5, 2, 3], [0, -10, 5, 0.25]
    x, heights = RNG.integers(0, 3000, (4, 5, 5)), [0, 4, 8, 12]
    f = fresh(c, "pet")
    series(f, x, heights, PET, "PT", change=lambda d, k: d.update({"RescaleSlope": slopes[k], "RescaleIntercept": intercepts[k]}))
    c.reads(
        "slopes of slices", f, (x * np.array(slopes)[:, None, None] + np.array(intercepts)[:, None, None])[None], affine(NORMAL * 4)
    )
    v = RNG.integers(0, 3000, (3, 4, 5, 5))
    at = [(t, s) for t in range(3) for s in range(4)]
    b = [0, 500, 1000]

    def private(creator, block, tag, vr, value):
        def change(d, k):
            d.add_new(block, "LO", creator)
            d.add_new(tag, vr, value(at[k][0]))

        return change

    for name, change in (
        ("temporal position", lambda d, k: setattr(d, "TemporalPositionIdentifier", at[k][0] + 1)),
        ("acquisition number", lambda d, k: setattr(d, "AcquisitionNumber", at[k][0] + 1)),
        ("trigger time", lambda d, k: setattr(d, "TriggerTime", at[k][0] * 33.3)),
        ("echo time", lambda d, k: setattr(d, "EchoTime", 5 + at[k][0])),
        (
            "acquisition time",
            lambda d, k: d.update({"AcquisitionDate": "20200101", "AcquisitionTime": f"1{at[k][0] * 100 + at[k][1]:05d}.5"}),
        ),
        ("instance number", lambda d, k: None),
        ("Siemens' b", private("SIEMENS MR HEADER", 0x00190010, 0x0019100C, "IS", lambda t: b[t])),
        ("GE's b", private("GEMS_PARM_01", 0x00430010, 0x00431039, "IS", lambda t: [1000000000 + b[t], 8, 0, 0])),
        ("Philips' b", private("Philips Imaging DD 001", 0x20010010, 0x20011003, "FL", lambda t: b[t])),
    ):
        f = fresh(c, "four")
        series(f, [v[a] for a in at], [4 * s for _, s in at], change=change)
        c.reads("4-D by " + name, f, v, affine(NORMAL * 4))
    f = fresh(c, "two")
    series(f / "a/x", x, heights)
    second = series(f / "b", x[:2] + 1, [0, 4])
    save(new_object(STORAGE + "88.33", "SR"), f / "sr")
    save(new_object(STORAGE + "11.1", "PR"), f / "ps.dcm")
    directory = new_object("1.2.840.10008.1.3.10", "")
    directory.DirectoryRecordSequence = Sequence([Dataset()])
    save(directory, f / "INDEX")
    c.refuses("two series in folders", f, "2 DICOM series", "--series")
    c.reads("one of two by its UID", f, (x[:2] + 1)[None], None, "--series", second)
    f = fresh(c, "planes")
    uid = series(f / "a", x[:3], [0, 4, 8])
    series(f / "b", x[:3], [0, 4, 8], uid=uid, axes=(COLUMN, NORMAL, ROW))
    c.refuses("two orientations", f, "orientation", "--series")
    c.reads("one of two orientations", f, x[None, :3], None, "--series", "2")
    for syntax in SYNTAXES:
        f = fresh(c, "syntax")
        series(
            f,
            x - 1500,
            heights,
            CT,
            "CT",
            change=lambda d, k: d.update({"RescaleSlope": 2, "RescaleIntercept": -1000}),
            syntax=syntax,
            signed=1,
        )
        c.reads("CT " + syntax.name, f, ((x - 1500) * 2 - 1000)[None], affine(NORMAL * 4))
    for syntax in (RLELossless,):
        f = fresh(c, "packed")
        series(f, x, heights, compress=syntax)
        c.reads("slices as " + syntax.name, f, x[None], affine(NORMAL * 4))
    f = fresh(c, "tilt")
    step = NORMAL * 4 + COLUMN * 1.2
    series(f, x, [0] * 4, CT, "CT", change=lambda d, k: setattr(d, "ImagePositionPatient", decimals(ORIGIN + step * k)))
    c.reads("gantry tilt", f, x[None], affine(step))
    f = fresh(c, "gap")
    series(f, x, [0, 4, 12, 16])
    c.refuses("missing slice", f, "not evenly spaced")
    f = fresh(c, "double")
    series(f, x, [0, 4, 4, 8])
    c.refuses("double slice", f, "double")
    f = fresh(c, "one")
    series(f, x[:1], [0])
    c.reads("thickness of one slice", f, x[None, :1], affine(NORMAL * 3))
    for missing in ("ImagePositionPatient", "ImageOrientationPatient"):
        f = fresh(c, "missing")
        series(f, x, heights, change=lambda d, k: delattr(d, missing))
        c.refuses("slices without " + missing, f, "without a place in space")
    f = fresh(c, "spacing")
    series(f, x, heights, change=lambda d, k: delattr(d, "PixelSpacing"))
    c.reads("slices without spacing", f, x[None], said="1 mm is assumed")
    f = fresh(c, "bare")
    for k in range(2):
        d = new_object(MR, "MR")
        d.add_new(0x00190010, "LO", "NOBODY")
        d.add_new(0x00191001, "UN", b"1234")
        save(d, f / str(k))
    c.refuses("private elements alone", f, "no images")
    f = fresh(c, "gz")
    series(f, x, heights)
    for path in list(f.iterdir()):
        path.with_suffix(".dcm.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    c.reads("series of .dcm.gz", f, x[None], affine(NORMAL * 4))


def other_classes(c):
    x = RNG.integers(0, 3000, (4, 5, 5))
    d = new_object(DOSE, "RTDOSE")
    set_pixels(d, x.astype("u4"), 32)
    d.NumberOfFrames, d.ImagePositionPatient, d.ImageOrientationPatient, d.PixelSpacing = (
        4,
        list(ORIGIN),
        [1, 0, 0, 0, 1, 0],
        list(SPACING),
    )
    d.GridFrameOffsetVector, d.DoseGridScaling = [0, 3, 6, 9], "0.001"
    right = affine(np.array([0, 0, 3.0]), np.array([1.0, 0, 0]), np.array([0, 1.0, 0]))
    c.reads("RT dose", save(d, c.path("d/dose.dcm")), (x * 0.001)[None], right)
    f, n = fresh(c, "mosaic"), 5
    v = RNG.integers(0, 3000, (3, n, 4, 6))

    def mosaic(d, k):
        d.ImageType, d.SpacingBetweenSlices, d.AcquisitionNumber = ["ORIGINAL", "PRIMARY", "M", "MB", "ND", "MOSAIC"], 4.4, k + 1
        d.ImagePositionPatient = decimals(ORIGIN - ROW * SPACING[1] * (18 - 6) / 2 - COLUMN * SPACING[0] * (12 - 4) / 2)
        d.add_new(0x00190010, "LO", "SIEMENS MR HEADER")
        d.add_new(0x0019100A, "US", n)

    whole = np.zeros((3, 12, 18), int)
    for t in range(3):
        for s in range(n):
            whole[t, s // 3 * 4 : s // 3 * 4 + 4, s % 3 * 6 : s % 3 * 6 + 6] = v[t, s]
    series(f, whole, [0] * 3, change=mosaic)
    c.reads("mosaics in time", f, v, affine(NORMAL * 4.4))
    s = np.zeros((2, 5, 9, 7), "u1")
    s[0, 0:3, 2:5, 2:5] = s[1, 2:5, 5:8, 3:6] = 1
    names = [(1, "liver"), (2, "tumour")]
    label = s[0] + 2 * s[1]
    c.reads("SEG BINARY", save(segmentation(s, "BINARY", names), c.path("d/s.dcm")), label[None], affine(NORMAL * 2.5))
    c.reads(
        "SEG LABELMAP",
        save(segmentation(label[None], "LABELMAP", names, LABELMAP), c.path("d/s.dcm")),
        label[None],
        affine(NORMAL * 2.5),
    )
    fraction = s * RNG.integers(1, 255, s.shape).astype("u1")
    path = save(segmentation(fraction, "FRACTIONAL", names), c.path("d/s.dcm"))
    c.reads("SEG FRACTIONAL", path, fraction / np.float32(255))
    overlap = s.copy()
    overlap[1, 0:3, 2:4, 2:4] = 1
    c.reads(
        "SEG of segments upon one another",
        save(segmentation(overlap, "BINARY", names), c.path("d/s.dcm")),
        overlap,
        affine(NORMAL * 2.5),
    )


if __name__ == "__main__":
    run(__doc__, multi_frame, loose, other_classes)
