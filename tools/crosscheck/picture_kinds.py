#!/usr/bin/env python3
"""Makes PNG, JPEG, BMP and TIFF files of many kinds with Pillow and tifffile and compares what voxgrad reads with what was written.

picture_kinds.py [--voxgrad build/release/voxgrad] [WORD ..]      (needs what image_kinds.py needs)
"""

import itertools
import json

import numpy as np
import tifffile
from PIL import Image

from image_kinds import files, run

RNG = np.random.default_rng(5)
SIZE = (37, 53)


def planes(x):
    """{H, W} or {H, W, C} as {C, 1, H, W}."""
    x = np.asarray(x)
    return x[None, None] if x.ndim == 2 else x.transpose(2, 0, 1)[:, None]


def palette_image(colours):
    image = Image.fromarray(RNG.integers(0, colours, SIZE, dtype=np.uint8), "P")
    image.putpalette(RNG.integers(0, 256, 3 * colours, dtype=np.uint8).tobytes())
    return image


def pillow(c):
    grey, rgb = RNG.integers(0, 256, SIZE, dtype=np.uint8), RNG.integers(0, 256, SIZE + (3,), dtype=np.uint8)
    deep, bits = RNG.integers(0, 65536, SIZE, dtype=np.uint16), RNG.integers(0, 2, SIZE).astype(bool)
    rgba, la = RNG.integers(0, 256, SIZE + (4,), dtype=np.uint8), RNG.integers(0, 256, SIZE + (2,), dtype=np.uint8)
    for ending in (".png", ".bmp", ".tif"):
        for name, x in (("grey", grey), ("rgb", rgb)):
            Image.fromarray(x).save(c.path("p/x" + ending))
            c.reads(f"{ending} {name}", c.path("p/x" + ending), planes(x))
        Image.fromarray(bits).save(c.path("p/b" + ending))
        if ending == ".bmp":
            c.refuses(".bmp 1 bit", c.path("p/b.bmp"), "BMP depths")
        else:
            c.reads(f"{ending} 1 bit as labels", c.path("p/b" + ending), planes(bits.astype(np.uint8)), None, "--labels")
        image = palette_image(5 if ending != ".bmp" else 256)
        image.save(c.path("p/p" + ending))
        c.reads(f"{ending} palette as labels", c.path("p/p" + ending), planes(np.asarray(image)), None, "--labels")
        c.reads(f"{ending} palette as colours", c.path("p/p" + ending), planes(np.asarray(image.convert("RGB"))))
    Image.fromarray(deep).save(c.path("p/d.png"))
    c.reads(".png 16 bits", c.path("p/d.png"), planes(deep))
    Image.fromarray(rgba).save(c.path("p/a.png"))
    c.reads(".png RGBA", c.path("p/a.png"), planes(rgba))
    Image.fromarray(la, "LA").save(c.path("p/la.png"))
    c.reads(".png grey and alpha", c.path("p/la.png"), planes(la))
    for n in (2, 4, 16):
        image = palette_image(n)
        image.save(c.path("p/few.png"), bits={2: 1, 4: 2, 16: 4}[n])
        c.reads(f".png palette of {n} as labels", c.path("p/few.png"), planes(np.asarray(image)), None, "--labels")
    image = palette_image(4)
    image.save(c.path("p/t.png"), transparency=0)
    c.reads(".png palette with a transparent entry as labels", c.path("p/t.png"), planes(np.asarray(image)), None, "--labels")
    c.reads(".png palette with a transparent entry", c.path("p/t.png"), planes(np.asarray(image.convert("RGB"))))
    Image.fromarray(grey).save(c.path("p/g.png"), transparency=3)
    c.reads(".png grey with a transparent value", c.path("p/g.png"), planes(grey))
    for name, x, kept in (
        ("grey", grey, {}),
        ("rgb", rgb, {}),
        ("progressive", rgb, {"progressive": True}),
        ("4:4:4", rgb, {"subsampling": 0}),
    ):
        Image.fromarray(x).save(c.path("p/x.jpg"), quality=92, **kept)
        decoded = np.asarray(Image.open(c.path("p/x.jpg")))
        got, _, said = files.read(c.voxgrad, c.path("p/x.jpg"))
        near = got is not None and got.shape == planes(decoded).shape and np.abs(got.astype(int) - planes(decoded)).max() <= 3
        c.say("agrees" if near else "DIFFERS", ".jpg " + name, said[:200] + ("" if got is None else f" {got.shape}"))
    Image.fromarray(rgba, "CMYK").save(c.path("p/c.jpg"), quality=92)
    c.refuses(".jpg CMYK", c.path("p/c.jpg"), "CMYK")


def stacks(c):
    x = RNG.integers(0, 60000, (3,) + SIZE, dtype=np.uint16)
    for dtype, order, packing, tile, big in itertools.product(
        ("u1", "u2", "i2", "u4", "f4", "f8"), "<>", (None, "lzw", "zlib", "packbits"), (None, (16, 32)), (False, True)
    ):
        if big and (packing or order == ">"):
            continue
        y = (x % 251).astype(dtype) if dtype != "f4" else (x / 7).astype("f4")
        path = c.path("t/x.tif")
        predictor = packing in ("lzw", "zlib") and dtype in ("u1", "u2", "u4")
        tifffile.imwrite(
            path, y, byteorder=order, compression=packing, tile=tile, bigtiff=big, predictor=predictor, photometric="minisblack"
        )
        c.reads(f".tif {dtype}{order} {packing} tile {tile} big {big}", path, y[None])
    path = c.path("t/y.tif")
    f = (x / 7).astype("f4")
    for packing in ("zlib", "lzw"):
        tifffile.imwrite(path, f, compression=packing, predictor=3, photometric="minisblack")
        c.reads(f".tif floating predictor {packing}", path, f[None])
    for packing in ("zstd", "lzma", "jpeg", "png", "webp"):
        y = (x % 251).astype("u1")
        try:
            tifffile.imwrite(path, y, compression=packing, photometric="minisblack")
        except Exception as error:  # not built in
            print("skipped ", packing, str(error)[:80])
            continue
        got, _, said = files.read(c.voxgrad, path)
        wanted = tifffile.imread(path)
        ok = got is None or (got.shape == (1,) + wanted.shape and np.abs(got[0].astype(int) - wanted).max() <= 3)
        c.say("DIFFERS" if not ok else "refused" if got is None else "agrees", ".tif " + packing, said[:250])
    bits = RNG.integers(0, 2, SIZE).astype(bool)
    for packing in ("group3", "group4", "tiff_ccitt"):
        Image.fromarray(bits).save(path, compression=packing)
        got, _, said = files.read(c.voxgrad, path, "--labels")
        ok = got is None or (got.shape == (1, 1) + SIZE and np.array_equal(got[0, 0] > 0, bits))
        c.say(
            "DIFFERS" if not ok else "refused" if got is None else "agrees",
            ".tif 1 bit " + packing,
            said[:250] + ("" if got is None else str(got.shape)),
        )
    rgb = RNG.integers(0, 256, (3,) + SIZE + (3,), dtype=np.uint8)
    for planar in ("contig", "separate"):
        tifffile.imwrite(path, rgb if planar == "contig" else rgb.transpose(0, 3, 1, 2), photometric="rgb", planarconfig=planar)
        c.reads(f".tif rgb stack {planar}", path, rgb.transpose(3, 0, 1, 2))
    four = RNG.integers(0, 60000, (2, 3) + SIZE, dtype=np.uint16)  # Z C Y X of ImageJ
    for name, y, axes in (
        ("slices", x, "ZYX"),
        ("frames", x, "TYX"),
        ("channels", x, "CYX"),
        ("slices and channels", four, "ZCYX"),
        ("frames and slices", four, "TZYX"),
        ("all", RNG.integers(0, 60000, (2, 3, 2) + SIZE, dtype=np.uint16), "TZCYX"),
    ):
        tifffile.imwrite(path, y, imagej=True, metadata={"axes": axes, "spacing": 2.5, "unit": "um"}, resolution=(1 / 0.5, 1 / 0.7))
        if axes == "TZCYX":
            c.refuses(".tif ImageJ " + name, path, "times")
            continue
        wanted = {"ZYX": y[None], "TYX": y[None], "CYX": y[:, None], "ZCYX": y.swapaxes(0, 1), "TZYX": y}[axes]
        affine = np.array(
            [[0, 0, -0.5e-3, 0], [0, -0.7e-3, 0, 0], [2.5e-3 if "Z" in axes or axes == "TYX" else 1, 0, 0, 0], [0, 0, 0, 1]]
        )
        c.reads(".tif ImageJ " + name, path, wanted, affine if "Z" in axes else None)
        tifffile.imwrite(
            path,
            y,
            ome=True,
            photometric="minisblack",
            metadata={"axes": axes, "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.7, "PhysicalSizeZ": 2.5},
        )
        c.reads(".tif OME " + name, path, wanted, affine if "Z" in axes else None)
    tifffile.imwrite(path, four, photometric="minisblack")
    c.reads(".tif shaped 4-D", path, four)
    tifffile.imwrite(path, x, photometric="minisblack", resolution=(1 / 0.05, 1 / 0.07), resolutionunit="CENTIMETER")
    c.reads(".tif dots per centimetre", path, x[None], np.array([[0, 0, -0.5, 0], [0, -0.7, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1]]))
    path = c.path("t/case_0000.tif")
    tifffile.imwrite(path, x, photometric="minisblack")
    c.path("t/case.json").write_text(json.dumps({"spacing": [5, 0.5, 0.7]}))
    c.reads(".tif JSON spacing", path, x[None], np.array([[0, 0, -0.7, 0], [0, -0.5, 0, 0], [5, 0, 0, 0], [0, 0, 0, 1]]))


if __name__ == "__main__":
    run(__doc__, pillow, stacks)
