#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "io/volume.h"

namespace voxgrad {

// Reads and writes
//   NIfTI-1 and -2 (.nii, .nii.gz, .hdr/.img pairs), NRRD (.nrrd, .nhdr), MetaImage (.mha, .mhd), each with its voxels in one file or
//   several; FreeSurfer's .mgh and .mgz; arrays of NumPy, .npy and .npz; Analyze 7.5, which is only read: in every build
//   HDF5, which is only read, in builds with its library: arrays, fastMRI's and ISMRMRD's k-space (io/formats/hdf5/read_hdf5.h)
//   a DICOM file, gzip or not, or a folder with a DICOM series (written by write_dicom): its own elements say where it lies, what its
//   values mean and what lies at one place (times, b-values, echoes: channels); segmentation objects are masks. In every build, but for
//   JPEG and its kin within, which need ITK, as do TIFF, PNG, JPEG, BMP (a slice, or a TIFF stack; JPEG as its Exif segment turns it)
// by content where it can be told, else by extension. Tensor axes D, H, W are the file's k, j, i. Vector pixels, complex numbers and
// further axes (time, echoes) become channels. An array of NumPy has the axes {H, W}, {D, H, W} or {C, D, H, W}; "affine" (4 x 4, from
// (d, h, w, 1) to RAS+ mm) or "spacing" (d, h, w) in the same .npz give its place in space.
//
// dtypes of the file that a tensor can hold are kept: u8, i16, i32, f32. Others become
//   i8 -> i16, u16 -> i32, f64 -> f32, u32 i64 u64 -> i32 (an error where a value does not fit),
//   anything with a rescale slope and intercept other than 1 and 0 -> f32 (of DICOM, where they are whole numbers, -> i16 or i32).
//
// The header is held against the size of the file before memory is asked for; truncated or corrupt data is an error, never zeros.

struct ReadOptions {
  // Which DICOM series of a folder with several: its number in the list of the message, its SeriesInstanceUID, or the end of that.
  std::string series = {};
  std::string array = {};  // which array of a .npz or HDF5 file with several
  int volume = -1;         // of a 4-D file, which of its volumes, counted from 0; -1: all, as channels
  bool labels = false;     // a label map: of a picture with a palette its indices, not its colours
};

// What can be known without reading voxels.
struct VolumeHeader {
  std::string format;        // "NIfTI-1", "NRRD", ...
  std::string stored;        // element type in the file: "u16"
  Shape shape;               // {D, H, W, C}
  DType dtype = DType::f32;  // as read_volume gives it
  Affine affine;
  LengthUnit unit = LengthUnit::millimetre;
  std::string warning = {};                // what its reader had to assume; empty: nothing
  std::vector<std::string> channels = {};  // what each is, where the file says: "b 1000"; else empty
  std::string modality = {};               // "CT", where the file says
};

Volume read_volume(const std::filesystem::path&, const ReadOptions& = {});
// Volume (channel) k of {D, H, W, C} alone.
Volume one_of(const Volume&, int64_t k);
VolumeHeader read_header(const std::filesystem::path&, const ReadOptions& = {});

// By extension: .nii, .nii.gz, .nrrd, .mha, .mhd (with a .raw or .zraw beside it), .mgh, .mgz, .npz, .npy (which says nothing of space),
// .dcm (masks alone, by write_segmentation) and, with ITK, .tif (u8, u16, i16, f32), .png (u8, u16), .jpg, .bmp (u8), each of 1 or 3
// channels; a .tif whose voxels are not 1 mm wide gets a .json with their "spacing" beside it, as nnU-Net has it. NIfTI and NRRD keep the
// unit of the volume, others have millimetres. bf16 and f16 are stored as f32. The file appears complete under its name or not at all.
struct WriteOptions {
  // The element type in the file, as VolumeHeader::stored names it, where the format has it and it holds all values; else the tensor's.
  std::string stored = {};
};
void write_volume(const std::filesystem::path&, const Volume&, const WriteOptions& = {});

// A series of DICOM files, one per slice, in a new or empty folder; in every build. Integers are kept exactly, positions to ten digits.
// Slices that follow one another against the normal of their rows and columns are read back in the other order, each in its place.
struct DicomOptions {
  std::string modality = "MR";  // or "CT", "PT"
  std::string description, patient = "anonymous";
};
// {D, H, W} or {D, H, W, 1} of u8, i16, i32 within 16 bits, or finite f32: kept where they are whole and fit 16 bits, else rounded to one
// of 65536 steps from the least to the largest. Rows and columns at right angles.
void write_dicom(const std::filesystem::path& folder, const Volume&, const DicomOptions& = {});

// A mask as a DICOM segmentation object: one file, a BINARY segment for every value from 1 up. Planes of a segment without a voxel
// are left out, but for the first and the last slice, which say where the grid ends.
struct DicomSegmentation {
  std::vector<std::string> labels = {};  // names by value; else "label 3"
  std::filesystem::path source = {};     // the DICOM images that it is of: their patient, study and frame of reference are its own
  std::string series = {};               // of `source`, as in ReadOptions
};
// {D, H, W} or {D, H, W, 1} of whole numbers from 0 to 65535. Rows and columns at right angles.
void write_segmentation(const std::filesystem::path&, const Volume&, const DicomSegmentation& = {});

// The part of a name that tells the format: ".nii.gz", ".mha"; empty where no volume is meant.
std::string volume_extension(const std::filesystem::path&);
// PNG, JPEG and BMP, by the name: one slice without a place in space.
bool is_flat_picture(const std::filesystem::path&);

}  // namespace voxgrad
