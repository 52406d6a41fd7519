#!/usr/bin/env python3
"""Makes small data sets of many kinds and takes each through inspect, train, predict and evaluate.

  data_sets.py [--voxgrad build/release/voxgrad] [WORD ..]
      (needs pip install nibabel numpy pillow tifffile pydicom; WORDs: only names that hold one)

A line per data set: "right", "refused" with the sentence where that is what is wanted, or "WRONG"; ends with 1 if any is wrong.
"""

import argparse
import json
import sys

import nibabel
import numpy as np
import pydicom
import tifffile
from data_set_survey import CASES, SIZE, DataSet, Survey, image
from PIL import Image


def masks(out):
    return [np.asarray(nibabel.load(p).dataobj) for p in sorted(out.glob("*.nii.gz"))]


def grids(s):
    """Channels and labels of one case on this and that grid."""
    flips = {"i": np.diag([-1, 1, 1, 1]), "j": np.diag([1, -1, 1, 1]), "k": np.diag([1, 1, -1, 1])}
    for axis, flip in flips.items():
        d = DataSet(s.folder("mirrored " + axis), channel_names={"0": "MR", "1": "MR"}).write()
        at = "ijk".index(axis)
        for k, c in enumerate(CASES):
            x, box = image(k)
            place = flip.astype(float)
            place[at, 3] = SIZE[at] - 1
            d.put(c, 0, x), d.put(c, 1, np.flip(x, at), place), d.put_label(c, np.flip(box, at), place)
        s.works("mirrored " + axis, d)
    turned = np.array([[0, 0, 1, 0], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1.0]])  # axes (k, i, j)
    for what, change, error in (
        ("by a hundredth", 0.01, ()),
        ("by half a voxel", 0.5, ("another grid", "voxel")),
        ("by 40 mm", 40, ("another grid", "40 mm")),
    ):
        d = DataSet(s.folder("label off " + what)).write()
        for k, c in enumerate(CASES):
            x, box = image(k)
            place = np.eye(4)
            place[1, 3] = change
            d.put(c, 0, x), d.put_label(c, box, place)
        s.refused("label off " + what, d, *error) if error else s.works("label off " + what, d)
    d = DataSet(s.folder("label with other axes")).write()
    for k, c in enumerate(CASES):
        x, box = image(k)
        d.put(c, 0, x), d.put_label(c, np.transpose(box, (1, 2, 0)), turned)
    s.works("label with other axes", d)
    for axis in range(3):
        for angle in (44.9999, 45, 135, -45):
            d = DataSet(s.folder(f"oblique {axis} {angle}")).write()
            for k, c in enumerate(CASES):
                x, box = image(k)
                d.put(c, 0, x, rotation(axis, angle)), d.put_label(c, box, rotation(axis, angle + 2e-4))
            s.works(f"oblique {axis} {angle}", d)


def rotation(axis, degrees):
    a, b = [i for i in range(3) if i != axis]
    out = np.eye(4)
    out[a, a] = out[b, b] = np.cos(np.radians(degrees))
    out[a, b], out[b, a] = -np.sin(np.radians(degrees)), np.sin(np.radians(degrees))
    return out


def keys(s):
    """What dataset.json may say."""

    def of(name, /, values=None, size=SIZE, **keys):
        d = DataSet(s.folder(name), **keys).write()
        channels = len(d.keys["channel_names"] or d.keys["modality"])
        for k, c in enumerate(CASES):
            x, box = image(k, size)
            if values:
                box = values(box)
            for channel in range(channels):
                d.put(c, channel, x)
            d.put_label(c, box)
        return d

    def ignored(box):
        box[:, :, :4] = 2
        return box

    def never(value):
        return lambda out: f"predicts {value}" if any((m == value).any() for m in masks(out)) else ""

    s.works("ignore", of("ignore", ignored, labels={"background": 0, "box": 1, "ignore": 2}), check=never(2))
    s.works("ignore listed first", of("ignore listed first", ignored, labels={"ignore": 2, "box": 1, "background": 0}), check=never(2))
    s.refused("ignore in the middle", of("ignore in the middle", labels={"background": 0, "ignore": 1, "box": 2}), "ignore")

    def nested(box):
        box[5:7, 6:8, 7:9] = 2
        return box

    regions = {"background": 0, "whole": [1, 2], "core": [2]}
    s.works("regions", of("regions", nested, labels=regions, regions_class_order=[1, 2]), "whole", "core")
    s.works(
        "regions, one a number",
        of("regions, one a number", nested, labels={"background": 0, "whole": [1, 2], "core": 2}, regions_class_order=[1, 2]),
        "whole",
        "core",
    )

    s.works(
        "regions and ignore",
        of(
            "regions and ignore",
            lambda b: np.where(np.arange(16) < 4, 3, nested(b)).astype(np.uint8),
            labels=regions | {"ignore": 3},
            regions_class_order=[1, 2],
        ),
        check=never(3),
    )
    s.refused("regions without an order", of("regions without an order", nested, labels=regions), "regions_class_order")
    s.refused("regions, short order", of("regions, short order", nested, labels=regions, regions_class_order=[1]), "regions_class_order")
    for names in (["CT", "MRI"], ["noNorm", "zscore"], ["rescale_to_0_1", "rgb_to_0_1"], ["ct", "T1"]):
        n = dict(zip("01", names))
        s.works("channels " + " ".join(names), of("channels " + " ".join(names), channel_names=n))
    s.works("modality for channel_names", of("modality for channel_names", channel_names=None, modality={"0": "CT"}))
    s.works("labels by value", of("labels by value", labels={"0": "background", "1": "box"}))
    s.works("unknown key", of("unknown key", nonsense=1), '"nonsense" means nothing here')
    s.works(
        "keys of where data come from",
        of(
            "keys of where data come from",
            name="x",
            description="",
            reference="",
            licence="CC0",
            release="1.0",
            converted_by="me",
            citation=[],
            overwrite_image_reader_writer="NibabelIOWithReorient",
        ),
        absent=["means nothing"],
    )
    s.works("unknown reader", of("unknown reader", overwrite_image_reader_writer="MyIO"), "MyIO")
    s.works("another numTraining", of("another numTraining", numTraining=9), "numTraining")
    s.refused("values beyond the labels", of("values beyond the labels", lambda b: b * 3), "3")
    s.refused("labels with a gap", of("labels with a gap", labels={"background": 0, "box": 2}), "1 is missing")
    s.refused("no ending", of("no ending", file_ending="nii.gz"), "file_ending")
    s.works("labels as f32", of("labels as f32", lambda b: b.astype(np.float32)))
    s.refused("labels with fractions", of("labels with fractions", lambda b: b * np.float32(0.5)), "0.5")
    listing = [{"image": f"./imagesTr/{c}.nii.gz", "label": f"./labelsTr/{c}.nii.gz"} for c in CASES]
    s.works(
        "v1 listing, two channels",
        of(
            "v1 listing, two channels",
            channel_names=None,
            modality={"0": "CT", "1": "CT"},
            training=listing,
            test=["./imagesTs/z.nii.gz"],
            numTest=1,
        ),
        "1 test case is left out",
    )
    s.works(
        "v1 listing, tests as objects",
        of(
            "v1 listing, tests as objects",
            channel_names=None,
            modality={"0": "CT"},
            training=listing,
            test=[{"image": "./imagesTs/z.nii.gz"}],
        ),
        "left out",
    )
    listed = {c: {"images": [f"imagesTr/{c}_0000.nii.gz"], "label": f"labelsTr/{c}.nii.gz"} for c in CASES}
    s.works("dataset for training", of("dataset for training", dataset=listed))
    d = of("a channel missing", channel_names={"0": "MR", "1": "MR", "2": "MR"})
    (d.folder / "imagesTr/b_0001.nii.gz").unlink()
    s.refused("a channel missing", d, "case b has no file for channel 1")
    d = of("a label missing")
    (d.folder / "labelsTr/b.nii.gz").unlink()
    s.refused("a label missing", d, "b", "no label")
    d = of("an image cut off")
    broken = d.folder / "imagesTr/b_0000.nii.gz"
    broken.write_bytes(broken.read_bytes()[:300])
    s.refused("an image cut off", d, "b_0000.nii.gz")
    for size in ((5, 4, 3), (1, 20, 20), (20, 20, 1), (2, 2, 2), (3, 3, 100), (1, 1, 1)):
        s.works(f"size {size}", of(f"size {size}", size=size))
    d = of("constant images")
    for c in CASES:
        d.put(c, 0, np.full(SIZE, 7, np.int16))
    s.works("constant images", d)
    s.works("background alone", of("background alone", lambda b: b * 0))
    d = of("not a number")
    x = image(0)[0].astype(np.float32)
    x[3, 3, 3] = np.nan
    d.put("b", 0, x)
    s.refused("not a number", d, "b_0000", "NaN")
    d = DataSet(s.folder("4-D files"), channel_names={"0": "MR", "1": "MR"}).write()
    for k, c in enumerate(CASES):
        x, box = image(k)
        d.put(c, 0, np.stack([x, x], -1)), d.put_label(c, box)
    s.works("4-D files", d)


def pictures(s):
    """2D data sets of pictures of many kinds."""

    def of(name, ending, save, save_label=None, channels=1, **more):
        d = DataSet(s.folder(name), channel_names={str(k): c for k, c in enumerate("RGBA"[:channels])}, file_ending=ending, **more).write()
        for k, c in enumerate(CASES):
            x, box = image(k, (24, 20, 1))
            save(d.folder / f"imagesTr/{c}_0000{ending}", np.clip(x[..., 0], 0, 255).astype(np.uint8))
            (save_label or (lambda p, b: Image.fromarray(b).save(p)))(d.folder / f"labelsTr/{c}{ending}", box[..., 0])
        return d

    def plain(p, x):
        Image.fromarray(x).save(p)

    def rgb(p, x):
        Image.fromarray(np.stack([x, x // 2, x // 3], -1)).save(p)

    def rgba(p, x):
        Image.fromarray(np.stack([x, x // 2, x // 3, x * 0 + 255], -1)).save(p)

    def wide(p, x):
        Image.fromarray(x.astype(np.uint16) * 200).save(p)

    def palette(p, b):
        picture = Image.new("P", b.shape[::-1])
        picture.putdata(b.ravel().tolist())
        picture.putpalette([0, 0, 0, 255, 0, 0] + [9] * 762)
        picture.save(p)

    def one_bit(p, b):
        Image.fromarray(b * 255).convert("1").save(p)

    def coloured(p, b):
        Image.fromarray(np.stack([b, b, b], -1)).save(p)

    for ending in (".png", ".bmp", ".tif"):
        out = ending if ending != ".bmp" else ".png"
        s.works(f"grey {ending}", of(f"grey {ending}", ending, plain), ending=out)
        s.works(f"RGB {ending}", of(f"RGB {ending}", ending, rgb, channels=3), ending=out)
    s.works("RGBA .png of four", of("RGBA .png of four", ".png", rgba, channels=4), ending=".png")
    s.refused("RGBA .png of three", of("RGBA .png of three", ".png", rgba, channels=3), "holds 4 channels", "names 3")
    s.works("16 bits .png", of("16 bits .png", ".png", wide), ending=".png")
    s.works("labels with a palette", of("labels with a palette", ".png", plain, palette), ending=".png")
    s.works("labels of one bit", of("labels of one bit", ".png", plain, one_bit), ending=".png")
    s.refused("labels in RGB", of("labels in RGB", ".png", plain, coloured), "one channel", "palette")
    s.refused("labels of 0 and 255", of("labels of 0 and 255", ".png", plain, lambda p, b: plain(p, b * 255)), "255")
    s.refused("RGB in a set of one channel", of("RGB in a set of one channel", ".png", rgb), "3 channels", "names each colour")
    for compression in (None, "zlib", "lzw"):
        for tile in (None, (16, 16)):
            name = f"3D TIFF {compression} {tile}"
            d = DataSet(s.folder(name), file_ending=".tif", overwrite_image_reader_writer="Tiff3DIO").write()
            for k, c in enumerate(CASES):
                x, box = image(k)
                for where, v in ((f"imagesTr/{c}_0000.tif", x), (f"labelsTr/{c}.tif", box)):
                    tifffile.imwrite(d.folder / where, v.T, compression=compression, tile=tile)
                for where in ("imagesTr", "labelsTr"):
                    (d.folder / where / f"{c}.json").write_text(json.dumps({"spacing": [5, 0.5, 0.25]}))
            s.works(name, d, "5 mm", "0.25 mm", ending=".tif")


def series(s):
    """DICOM series as cases: listed, and in folders to predict."""
    d = DataSet(s.folder("DICOM"), training=[{"image": f"scans/{c}", "label": f"labelsTr/{c}.nii.gz"} for c in CASES], test=[]).write()
    for k, c in enumerate(CASES):
        x, box = image(k)
        stem = d.folder / "nifti" / (c + ".nii.gz")
        stem.parent.mkdir(exist_ok=True)
        nibabel.save(nibabel.Nifti1Image(x, np.diag([0.8, 0.9, 2.5, 1])), stem)
        status, said = s.run("convert", "--in", stem, "--out", d.folder / "scans" / c)
        d.put_label(c, box, np.diag([0.8, 0.9, 2.5, 1]))
        for file in (d.folder / "scans" / c).iterdir():
            ds = pydicom.dcmread(file)
            ds.PatientID, ds.StudyInstanceUID = c, "1.2." + str(k)
            ds.save_as(file)
    s.works("DICOM series listed, a folder of patients predicted", d, images=d.folder / "scans")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*")
    parser.add_argument("--voxgrad", default="build/release/voxgrad")
    arguments = parser.parse_args()
    s = Survey(arguments.voxgrad, arguments.words)
    for part in (grids, keys, pictures, series):
        part(s)
    print(", ".join(f"{n} {word}" for word, n in s.counts.items()))
    return 1 if s.counts["WRONG"] else 0


if __name__ == "__main__":
    sys.exit(main())
