#!/usr/bin/env python3
"""Makes NRRD and MetaImage files of many kinds with pynrrd, SimpleITK and by hand and compares what voxgrad reads with what was written.

header_kinds [--voxgrad build/release/voxgrad] [WORD ..]      (needs what image_kinds needs)
"""

import itertools

import nrrd
import numpy as np
import SimpleITK

from image_kinds import TURN, files, random, run


def nrrds(c):
    x = random((6, 5, 4), "i2")
    directions = (TURN * [0.7, 1.1, 2.5]).T
    base = {"space": "left-posterior-superior", "space directions": directions, "space origin": [1, 2, 3]}
    for space, signs in (
        ("left-posterior-superior", (-1, -1, 1)),
        ("right-anterior-superior", (1, 1, 1)),
        ("left-anterior-superior", (-1, 1, 1)),
        ("LPS", (-1, -1, 1)),
        ("RAS", (1, 1, 1)),
        ("LAS", (-1, 1, 1)),
    ):
        for encoding in ("raw", "gzip", "ascii"):
            for detached in (False, True):
                path = c.path(f"r/{space}_{encoding}.{'nhdr' if detached else 'nrrd'}")
                nrrd.write(
                    str(path), x, {**base, "space": space, "encoding": encoding, "endian": "little"}, detached_header=detached
                )
                a = np.eye(4)
                a[:3, :3], a[:3, 3] = directions.T, (1, 2, 3)
                a = np.diag([*signs, 1.0]) @ a
                c.reads(f"nrrd {space} {encoding} {path.suffix}", path, x.T[None], files.reversed_axes(a))
    path = c.path("r/bz.nrrd")
    nrrd.write(str(path), x, {**base, "encoding": "bzip2"})
    c.refuses("nrrd bzip2", path, "bzip2", "gzip")
    for dtype, order in itertools.product(["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8"], ("little", "big")):
        y = random((6, 5, 4), dtype)
        path = c.path("r/type.nrrd")
        nrrd.write(
            str(path),
            y.astype(y.dtype.newbyteorder("<" if order == "little" else ">")),
            {**base, "endian": order, "encoding": "raw"},
        )
        c.reads(f"nrrd {dtype} {order}", path, y.T[None])
    v = random((3, 6, 5, 4), "f4")
    for kind in ("vector", "RGB-color", "list", "3-vector"):
        path = c.path("r/vector.nrrd")
        nrrd.write(
            str(path),
            v,
            {**base, "kinds": [kind, "domain", "domain", "domain"], "space directions": np.vstack([[np.nan] * 3, directions])},
        )
        c.reads(f"nrrd {kind} first", path, v.transpose(0, 3, 2, 1))
    t = random((6, 5, 4, 3), "i2")
    path = c.path("r/time.nrrd")
    nrrd.write(
        str(path), t, {**base, "kinds": ["domain"] * 3 + ["time"], "space directions": np.vstack([directions, [np.nan] * 3])}
    )
    c.reads("nrrd time last", path, t.transpose(3, 2, 1, 0))

    def text(name, header, data=b"", **kept):
        path = c.path("r/" + name)
        path.write_bytes(("NRRD0004\n" + "\n".join(header) + "\n\n").encode() + data)
        return path

    raw = x.tobytes(order="F")
    plain = ["type: short", "dimension: 3", "sizes: 6 5 4", "endian: little", "encoding: raw"]
    a = np.zeros((4, 4))
    a[0, 2], a[1, 1], a[2, 0], a[3, 3] = -0.7, -1.1, 2.5, 1
    c.reads("nrrd spacings", text("a.nrrd", plain + ["spacings: 0.7 1.1 2.5"], raw), x.T[None], a)
    c.reads(
        "nrrd nan vectors",
        text(
            "b.nrrd",
            [
                "type: float",
                "dimension: 4",
                "sizes: 3 6 5 4",
                "endian: little",
                "encoding: raw",
                "space: LPS",
                "space directions: (nan,nan,nan) (0.7,0,0) (0,1.1,0) (0,0,2.5)",
            ],
            v.tobytes(order="F"),
        ),
        v.transpose(0, 3, 2, 1),
        a,
    )
    for centering, n in (("cell", (6, 5, 4)), ("node", (5, 4, 3))):
        b = a.copy()
        shift = 0.5 if centering == "cell" else 0
        b[:3, 3] = (-(1 + shift * 0.7), -(2 + shift * 1.1), 3 + shift * 2.5)
        c.reads(
            f"nrrd axis mins and maxs, {centering}",
            text(
                "c.nrrd",
                plain
                + [
                    "centers: " + " ".join([centering] * 3),
                    "axis mins: 1 2 3",
                    "axis maxs: " + " ".join(str(m + k * s) for m, k, s in zip((1, 2, 3), n, (0.7, 1.1, 2.5))),
                ],
                raw,
            ),
            x.T[None],
            b,
        )
    c.path("r/lines.raw").write_bytes(b"one\ntwo\n" + b"xyz" + raw)
    c.reads(
        "nrrd line skip and byte skip", text("d.nhdr", plain + ["line skip: 2", "byte skip: 3", "data file: lines.raw"]), x.T[None]
    )
    c.reads("nrrd byte skip -1", text("e.nhdr", plain + ["byte skip: -1", "data file: lines.raw"]), x.T[None])
    for k in range(4):
        c.path(f"r/slab{k}.raw").write_bytes(x[:, :, k].tobytes(order="F"))
    c.reads(
        "nrrd LIST", text("f.nhdr", plain + ["data file: LIST"] + [f"slab{k}.raw" for k in range(4)]).with_name("f.nhdr"), x.T[None]
    )
    c.reads("nrrd pattern", text("g.nhdr", plain + ["data file: slab%d.raw 0 3 1"]), x.T[None])
    c.reads("nrrd pattern 2", text("g2.nhdr", plain + ["data file: slab%d.raw 0 3 1 2"]), x.T[None])
    c.refuses(
        "nrrd text beyond its type",
        text("h.nrrd", ["type: uchar", "dimension: 2", "sizes: 2 2", "encoding: ascii"], b"1 2 3 300\n"),
        "300",
    )
    c.refuses(
        "nrrd text i64",
        text("i.nrrd", ["type: longlong", "dimension: 2", "sizes: 2 2", "encoding: ascii"], b"1 2 3 30000000000\n"),
        "is no i32",
    )
    c.refuses(
        "nrrd text fraction",
        text("j.nrrd", ["type: short", "dimension: 2", "sizes: 2 2", "encoding: ascii"], b"1 2 3 0.5\n"),
        "0.5",
    )
    c.refuses("nrrd hex", text("k.nrrd", ["type: uchar", "dimension: 2", "sizes: 2 2", "encoding: hex"], b"01020304\n"), "hex")
    c.refuses(
        "nrrd block",
        text("l.nrrd", ["type: block", "block size: 4", "dimension: 2", "sizes: 2 2", "encoding: raw"], b"0" * 16),
        "block",
    )


def metaimages(c):
    shape = (4, 5, 6)
    for dtype in ("u1", "i1", "u2", "i2", "u4", "i4", "f4", "f8"):
        image = SimpleITK.GetImageFromArray(random(shape, dtype))
        image.SetDirection((TURN * np.sign(np.linalg.det(TURN))).ravel())
        image.SetSpacing((0.7, 1.1, 2.5))
        image.SetOrigin((1, 2, 3))
        for ending, packed in itertools.product((".mha", ".mhd", ".nrrd", ".nii.gz"), (False, True)):
            path = c.path(f"m/x{ending}")
            SimpleITK.WriteImage(image, str(path), packed)
            c.by_reference(f"itk {dtype} {ending} packed {packed}", path)
    for components, dims in ((3, 3), (1, 4), (1, 2), (3, 2)):
        y = random(shape[-min(dims, 3) :] + (components,), "f4") if dims < 4 else random((3,) + shape, "f4")
        image = SimpleITK.GetImageFromArray(y if dims < 4 else y, isVector=dims < 4)
        path = c.path("m/v.mha")
        SimpleITK.WriteImage(image, str(path))
        c.by_reference(f"metaimage {components} components, {dims} axes", path)
    x = random((4, 5, 6), "i2")
    head = ["ObjectType = Image", "NDims = 3", "DimSize = 6 5 4", "ElementType = MET_SHORT"]

    def text(name, lines, data=b""):
        path = c.path("m/" + name)
        path.write_bytes("\n".join(lines).encode() + b"\n" + data)
        return path

    c.by_reference(
        "metaimage big endian",
        text(
            "be.mha",
            head + ["ElementByteOrderMSB = True", "ElementSpacing = 1 2 3", "ElementDataFile = LOCAL"],
            x.astype(">i2").tobytes(),
        ),
    )
    for k in range(4):
        c.path(f"m/s{k + 1:03d}.raw").write_bytes(x[k].tobytes())
    c.by_reference("metaimage LIST", text("l.mhd", head + ["ElementDataFile = LIST"] + [f"s{k + 1:03d}.raw" for k in range(4)]))
    c.by_reference(
        "metaimage LIST 2D", text("l2.mhd", head + ["ElementDataFile = LIST 2"] + [f"s{k + 1:03d}.raw" for k in range(4)])
    )
    c.by_reference("metaimage pattern", text("p.mhd", head + ["ElementDataFile = s%03d.raw 1 4 1"]))
    c.path("m/whole.raw").write_bytes(b"12345" + x.tobytes())
    c.by_reference("metaimage header size", text("h.mhd", head + ["HeaderSize = 5", "ElementDataFile = whole.raw"]))
    c.by_reference("metaimage header size -1", text("h1.mhd", head + ["HeaderSize = -1", "ElementDataFile = whole.raw"]))
    c.by_reference(
        "metaimage text",
        text("t.mha", head + ["BinaryData = False", "ElementDataFile = LOCAL"], " ".join(map(str, x.ravel())).encode()),
    )
    c.by_reference(
        "metaimage spaces",
        text(
            "sp.mha",
            [
                "ObjectType=Image",
                "NDims=3 ",
                "DimSize = 6  5\t4",
                "ElementType=MET_SHORT",
                "Comment = a=b",
                "ElementSize = 1 2 3",
                "ElementDataFile=LOCAL",
            ],
            x.tobytes(),
        ),
    )
    for key, ending in (
        ("CenterOfRotation = 1 2 3", ""),
        ("AnatomicalOrientation = RAS", ""),
        ("ElementToIntensityFunctionSlope = 2", ""),
    ):
        c.by_reference("metaimage " + key, text("k.mha", head + [key, "ElementDataFile = LOCAL"], x.tobytes()))
    c.refuses(
        "metaimage tube", text("tube.mha", ["ObjectType = Tube", "NDims = 3", "NPoints = 1", "ElementDataFile = LOCAL"]), "Tube"
    )


if __name__ == "__main__":
    run(__doc__, nrrds, metaimages)
