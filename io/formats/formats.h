#pragma once
// The file formats behind image.h. Each reads a header and voxels by path; `is_...` looks at the content.
#include "io/atomic_file.h"
#include "io/formats/gzip.h"
#include "io/formats/voxels.h"
#include "io/image.h"

namespace voxgrad {

// "compressed by bzip2, which is not read; unpack it ..": of a file of a kind that is known and not read; else empty.
std::string unread_kind(const std::filesystem::path&);

bool is_nifti(const std::filesystem::path&);
bool is_nrrd(const std::filesystem::path&);
bool is_metaimage(const std::filesystem::path&);

VolumeHeader nifti_header(const std::filesystem::path&);
VolumeHeader nrrd_header(const std::filesystem::path&);
VolumeHeader metaimage_header(const std::filesystem::path&);
Volume read_nifti(const std::filesystem::path&);
Volume read_nrrd(const std::filesystem::path&);
Volume read_metaimage(const std::filesystem::path&);
// The volume is {D, H, W, C} on the CPU, of a dtype that files hold, with a valid affine. The element type in the file is that of the
// tensor, or a narrower or unsigned one that holds every value, which a format without it takes for that of the tensor.
void write_nifti(const std::filesystem::path&, const Volume&, Stored);
void write_nrrd(const std::filesystem::path&, const Volume&, Stored);
void write_metaimage(const std::filesystem::path&, const Volume&, Stored);

// "scan.img" or, where that is what exists, "scan.img.gz" for ".img" and one of scan.hdr, scan.hdr.gz, scan.img, scan.img.gz.
std::filesystem::path pair_file(const std::filesystem::path&, const std::string& ending);
// The file with the voxels of a header of such a pair, or an Error that names both.
std::filesystem::path voxels_of_pair(const std::filesystem::path& header);
bool is_analyze(const std::filesystem::path&);
VolumeHeader analyze_header(const std::filesystem::path&);
Volume read_analyze(const std::filesystem::path&);

bool is_mgh(const std::filesystem::path&);
VolumeHeader mgh_header(const std::filesystem::path&);
Volume read_mgh(const std::filesystem::path&);
void write_mgh(const std::filesystem::path&, const Volume&, Stored);

// Arrays of NumPy: one (.npy), or one of several in a zip archive (.npz).
bool is_numpy(const std::filesystem::path&);
VolumeHeader numpy_header(const std::filesystem::path&, const ReadOptions&);
Volume read_numpy(const std::filesystem::path&, const ReadOptions&);
void write_numpy(const std::filesystem::path&, const Volume&, Stored);

// DICOM: a file or a folder (dicom/).
bool is_dicom(const std::filesystem::path&);
VolumeHeader dicom_header(const std::filesystem::path&, const ReadOptions&);
Volume read_dicom(const std::filesystem::path&, const ReadOptions&);
// Whose image a DICOM file is; what it does not say is empty. image: it has voxels.
struct DicomIdentity {
  std::string patient = {}, study = {}, series = {};
  bool image = false;
};
DicomIdentity dicom_identity(const std::filesystem::path&);
#ifdef VOXGRAD_WITH_ITK
// TIFF, PNG, JPEG.
VolumeHeader picture_header(const std::filesystem::path&, const ReadOptions&);
Volume read_picture(const std::filesystem::path&, const ReadOptions&);
void write_picture(const std::filesystem::path&, const Volume&, Stored);
#endif

// From an affine of LPS+ millimetres over (i, j, k), columns first, as DICOM, NRRD and MetaImage have it, and to one.
struct LpsGeometry {
  double axis[3][3] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}};  // step along i, j, k in mm
  double origin[3] = {};
};
Affine affine_from_lps(const LpsGeometry&);
LpsGeometry lps_of(const Affine&);

VolumeHeader header_of(const VoxelLayout&, const Affine&);
// A file that a header names: beside the header or in a folder below it.
std::filesystem::path detached_file(const std::filesystem::path& header, const std::string& name);
// Voxels of a tensor in the order of a file; of another element type that holds them, made in `scratch`.
std::span<const std::byte> bytes_of(const Tensor&);
std::span<const std::byte> bytes_of(const Tensor&, Stored, std::vector<std::byte>& scratch);
void write_deflated(AtomicFile&, std::span<const std::span<const std::byte>> pieces, Wrapper);
// "%.17g" without trailing noise: reads back as the same number.
std::string exact(double);

}  // namespace voxgrad
