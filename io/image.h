#pragma once
#include <filesystem>
#include <string>

#include "io/volume.h"

namespace voxgrad {

// Reads and writes
//   NIfTI-1 and -2 (.nii, .nii.gz, .hdr/.img pairs), NRRD (.nrrd, .nhdr), MetaImage (.mha, .mhd): in every build
//   a DICOM file or a folder of one DICOM series (written by write_dicom), TIFF, PNG, JPEG (a slice, or a TIFF stack): with ITK
// by content where it can be told, else by extension. Tensor axes D, H, W are the file's k, j, i. Vector pixels, complex numbers and
// further axes (time, echoes) become channels.
//
// dtypes of the file that a tensor can hold are kept: u8, i16, i32, f32. Others become
//   i8 -> i16, u16 -> i32, f64 -> f32, u32 i64 u64 -> i32 (an error where a value does not fit),
//   anything with a rescale slope and intercept other than 1 and 0 -> f32 (of DICOM, where they are whole numbers, -> i16 or i32).
//
// The header is held against the size of the file before memory is asked for; truncated or corrupt data is an error, never zeros.

struct ReadOptions {
  std::string series;  // which DICOM series of a folder with several: its SeriesInstanceUID, or the end of it
};

// What can be known without reading voxels.
struct VolumeHeader {
  std::string format;        // "NIfTI-1", "NRRD", ...
  std::string stored;        // element type in the file: "u16"
  Shape shape;               // {D, H, W, C}
  DType dtype = DType::f32;  // as read_volume gives it
  Affine affine;
};

Volume read_volume(const std::filesystem::path&, const ReadOptions& = {});
VolumeHeader read_header(const std::filesystem::path&, const ReadOptions& = {});

// By extension: .nii, .nii.gz, .nrrd, .mha, .mhd (with a .raw or .zraw beside it) and, with ITK and at most u8 or i16, .tif, .png, .jpg.
// bf16 and f16 are stored as f32. The file appears complete under its name or not at all.
void write_volume(const std::filesystem::path&, const Volume&);

// A series of DICOM files, one per slice, in a new or empty folder; in every build. Voxels are kept exactly, positions to ten digits.
// Slices that follow one another against the normal of their rows and columns are read back in the other order, each in its place.
struct DicomOptions {
  std::string modality = "MR";  // or "CT"
  std::string description, patient = "anonymous";
};
// {D, H, W} or {D, H, W, 1} of u8, i16, or i32 within 0 .. 65535. Rows and columns at right angles.
void write_dicom(const std::filesystem::path& folder, const Volume&, const DicomOptions& = {});

// The part of a name that tells the format: ".nii.gz", ".mha"; empty where no volume is meant.
std::string volume_extension(const std::filesystem::path&);

}  // namespace voxgrad
