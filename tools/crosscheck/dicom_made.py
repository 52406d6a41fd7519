"""DICOM objects for dicom_kinds.py, made with pydicom."""

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, generate_uid

STORAGE = "1.2.840.10008.5.1.4.1.1."
CT, MR, PET, SECONDARY, DOSE, SEG, LABELMAP = (STORAGE + end for end in ("2", "4", "128", "7", "481.2", "66.4", "66.7"))
ENHANCED = {"CT": STORAGE + "2.1", "MR": STORAGE + "4.1", "PT": STORAGE + "130"}


def turned(seed):
    """Row direction, column direction and normal of a random orientation, LPS."""
    q, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    if np.linalg.det(q) < 0:
        q[:, 2] *= -1
    return q.T


ROW, COLUMN, NORMAL = turned(3)
ORIGIN, SPACING = np.array([11.0, -7, 33]), (1.5, 0.75)


def affine(step, row=ROW, column=COLUMN, origin=ORIGIN, spacing=SPACING):
    """Of (d, h, w) to RAS."""
    a = np.eye(4)
    a[:3, 0], a[:3, 1], a[:3, 2], a[:3, 3] = step, column * spacing[0], row * spacing[1], origin
    return np.diag([-1.0, -1, 1, 1]) @ a


def new_object(sop_class, modality, series=None, syntax=ExplicitVRLittleEndian):
    d = Dataset()
    d.file_meta = FileMetaDataset()
    d.file_meta.TransferSyntaxUID = syntax
    d.file_meta.MediaStorageSOPClassUID = d.SOPClassUID = sop_class
    d.SOPInstanceUID = d.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    d.Modality, d.SeriesInstanceUID, d.StudyInstanceUID = modality, series or generate_uid(), generate_uid()
    d.PatientName, d.PatientID = "X", "1"
    return d


def set_pixels(d, x, bits=16, signed=0, photometric="MONOCHROME2"):
    d.Rows, d.Columns = x.shape[-2:]
    d.SamplesPerPixel, d.PhotometricInterpretation = 1, photometric
    d.BitsAllocated = d.BitsStored = bits
    d.HighBit, d.PixelRepresentation = bits - 1, signed
    order = ">" if d.file_meta.TransferSyntaxUID == ExplicitVRBigEndian else "<"
    d.PixelData = x.astype(order + "ui"[signed] + str(bits // 8)).tobytes()
    d["PixelData"].VR = "OW"


def save(d, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    d.save_as(path, enforce_file_format=True)
    return path


def decimals(values, digits=6):
    return [float(f"{v:.{digits}f}") for v in values]


def groups(**sequences):
    """A data set of sequences with one item each."""
    d = Dataset()
    for name, elements in sequences.items():
        item = Dataset()
        for key, value in elements.items():
            setattr(item, key, value)
        setattr(d, name, Sequence([item]))
    return d


def enhanced(
    modality, x, positions, more=lambda k: {}, syntax=ExplicitVRLittleEndian, undefined=False, sop_class=None, thickness=2.5
):
    d = new_object(sop_class or ENHANCED[modality], modality, syntax=syntax)
    set_pixels(d, x)
    d.NumberOfFrames = len(x)
    measures = dict(PixelSpacing=list(SPACING), SliceThickness=thickness)
    orientation = dict(ImageOrientationPatient=decimals([*ROW, *COLUMN], 9))
    d.SharedFunctionalGroupsSequence = Sequence([groups(PixelMeasuresSequence=measures, PlaneOrientationSequence=orientation)])
    frames = [groups(PlanePositionSequence=dict(ImagePositionPatient=decimals(p)), **more(k)) for k, p in enumerate(positions)]
    d.PerFrameFunctionalGroupsSequence = Sequence(frames)
    if undefined:
        d["PerFrameFunctionalGroupsSequence"].is_undefined_length = True
        for item in frames:
            item.is_undefined_length_sequence_item = True
    return d


def series(
    folder,
    x,
    heights,
    sop_class=MR,
    modality="MR",
    uid=None,
    change=lambda d, k: None,
    syntax=ExplicitVRLittleEndian,
    signed=0,
    axes=(ROW, COLUMN, NORMAL),
    compress=None,
):
    """One file for each slice; its UID."""
    uid = uid or generate_uid()
    for k, plane in enumerate(x):
        d = new_object(sop_class, modality, uid, syntax)
        set_pixels(d, plane, signed=signed)
        d.ImagePositionPatient = decimals(ORIGIN + axes[2] * heights[k])
        d.ImageOrientationPatient = decimals([*axes[0], *axes[1]], 9)
        d.PixelSpacing, d.SliceThickness, d.InstanceNumber = list(SPACING), 3, k + 1
        change(d, k)
        if compress:
            d.compress(compress)
        save(d, folder / f"IM{k:04d}")
    return uid


def segmentation(x, kind, segments, sop_class=SEG):
    """x {S, D, H, W} of 0 and 1, 0 .. 255 or, as LABELMAP, {1, D, H, W} of values; empty frames are left out but for the outermost."""
    kept = [(s, k) for s in range(len(x)) for k in range(x.shape[1]) if kind == "LABELMAP" or x[s, k].any()]
    frames = np.stack([x[s, k] for s, k in kept])
    more = lambda i: {} if kind == "LABELMAP" else dict(SegmentIdentificationSequence=dict(ReferencedSegmentNumber=kept[i][0] + 1))
    d = enhanced("MR", frames, [ORIGIN + NORMAL * 2.5 * k for _, k in kept], more, sop_class=sop_class)
    d.Modality, d.SegmentationType = "SEG", kind
    d.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].SpacingBetweenSlices = 2.5
    d.BitsAllocated = d.BitsStored = 1 if kind == "BINARY" else 8
    d.HighBit = d.BitsStored - 1
    if kind == "FRACTIONAL":
        d.SegmentationFractionalType, d.MaximumFractionalValue = "PROBABILITY", 255
    d.SegmentSequence = Sequence()
    for number, label in segments:
        item = Dataset()
        item.SegmentNumber, item.SegmentLabel, item.SegmentAlgorithmType = number, label, "AUTOMATIC"
        d.SegmentSequence.append(item)
    bits = np.packbits(frames.ravel().astype("u1"), bitorder="little") if kind == "BINARY" else frames.astype("u1").ravel()
    d.PixelData = bits.tobytes() + (b"\0" if len(bits) % 2 else b"")
    return d
