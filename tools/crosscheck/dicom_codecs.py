#!/usr/bin/env python3
"""Makes DICOM objects of many codecs and palettes with pydicom, Pillow and imagecodecs and compares what voxgrad reads.

dicom_codecs.py [--voxgrad build/release/voxgrad] [WORD ..]      (needs what image_kinds.py needs)
"""

import io

import imagecodecs
import numpy as np
from dicom_made import SECONDARY, new_object, save, set_pixels
from image_kinds import files, run
from PIL import Image, ImageFilter
from pydicom.encaps import encapsulate
from pydicom.pixels import apply_color_lut
from pydicom.uid import UID


def coded(c):
    g = np.indices((32, 48)).sum(0)
    rgb = np.stack([g * 3 % 256, g * 5 % 200, 255 - g * 2 % 256], -1).astype("u1")
    rgb = np.asarray(Image.fromarray(rgb).filter(ImageFilter.BLUR))
    deep, grey = (g * 40).astype("u2"), g.astype("u1")

    def one(name, frames, syntax, photometric, wanted, bits=8, near=0):
        d = new_object(SECONDARY, "OT", syntax=UID("1.2.840.10008.1.2.4." + syntax))
        d.Rows, d.Columns, d.SamplesPerPixel, d.PhotometricInterpretation = 32, 48, 1 if wanted.ndim == 2 else 3, photometric
        if wanted.ndim == 3:
            d.PlanarConfiguration = 0
        d.BitsAllocated, d.BitsStored, d.HighBit, d.PixelRepresentation = 8 if bits <= 8 else 16, bits, bits - 1, 0
        if len(frames) > 1:
            d.NumberOfFrames, d.SpacingBetweenSlices = len(frames), 2
        d.PixelData = encapsulate(frames)
        d["PixelData"].is_undefined_length, d["PixelData"].VR = True, "OB"
        path = save(d, c.path("d/c.dcm"))
        x = wanted.transpose(2, 0, 1)[:, None] if wanted.ndim == 3 else np.stack([wanted] * len(frames))[None]
        if not near:
            return c.reads(name, path, x)
        got, _, said = files.read(c.voxgrad, path)
        ok = got is not None and got.shape == x.shape and np.abs(got.astype(int) - x).max() <= near
        c.say("agrees" if ok else "DIFFERS", name, said[:200])

    def jpeg(x, **how):
        b = io.BytesIO()
        Image.fromarray(x).save(b, "JPEG", quality=95, **how)
        return b.getvalue(), np.asarray(Image.open(io.BytesIO(b.getvalue())))

    for name, x, photometric, how in (
        ("4:2:0", rgb, "YBR_FULL_422", {}),
        ("4:4:4", rgb, "YBR_FULL", {"subsampling": 0}),
        ("grey", grey, "MONOCHROME2", {}),
    ):
        data, decoded = jpeg(x, **how)
        one("JPEG " + name, [data] if x.ndim == 3 else [data] * 3, "50", photometric, decoded, near=3)
    one("JPEG 2000 RGB", [imagecodecs.jpeg2k_encode(rgb, level=0, codecformat="j2k", reversible=True)], "90", "YBR_RCT", rgb)
    one(
        "JPEG 2000 16 bits",
        [imagecodecs.jpeg2k_encode(deep, level=0, codecformat="j2k", reversible=True)] * 2,
        "90",
        "MONOCHROME2",
        deep,
        16,
    )
    one("JPEG-LS 12 bits", [imagecodecs.jpegls_encode(deep)], "80", "MONOCHROME2", deep, 12)
    one("JPEG lossless 12 bits", [imagecodecs.ljpeg_encode(deep, bitspersample=12)], "57", "MONOCHROME2", deep, 12)
    d = new_object(SECONDARY, "OT")
    indices = (np.arange(24).reshape(4, 6) % 7).astype("u1")
    set_pixels(d, indices, 8, photometric="PALETTE COLOR")
    for k, colour in enumerate(("Red", "Green", "Blue")):
        setattr(d, colour + "PaletteColorLookupTableDescriptor", [8, 0, 16])
        setattr(d, colour + "PaletteColorLookupTableData", (np.arange(8) * 1000 * (k + 1)).astype("<u2").tobytes())
    c.reads("palette", save(d, c.path("d/p.dcm")), apply_color_lut(indices, d).transpose(2, 0, 1)[:, None])
    c.reads("palette as labels", save(d, c.path("d/p.dcm")), indices[None, None], None, "--labels")


if __name__ == "__main__":
    run(__doc__, coded)
