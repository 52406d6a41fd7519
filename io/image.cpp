#include "io/image.h"

#include <array>
#include <cstring>

#include "io/formats/formats.h"
#include "io/formats/text_fields.h"

namespace voxgrad {
namespace fs = std::filesystem;

namespace {
constexpr std::array kVolumeEndings = {".nii.gz", ".nii", ".hdr.gz", ".hdr", ".img.gz", ".img", ".nrrd", ".nhdr",
                                       ".mha",    ".mhd", ".dcm",    ".tif", ".tiff",   ".png", ".jpg",  ".jpeg"};

enum class Format { nifti, nrrd, metaimage, dicom, picture, unknown };

Format format_of(const fs::path& path) {
  if (fs::is_directory(path)) return Format::dicom;
  const std::string ending = volume_extension(path);
  if (is_nrrd(path)) return Format::nrrd;
  if (is_nifti(path) || ending.starts_with(".nii") || ending.starts_with(".hdr") || ending.starts_with(".img")) return Format::nifti;
  if (is_metaimage(path) || ending == ".mha" || ending == ".mhd") return Format::metaimage;
  if (ending == ".nrrd" || ending == ".nhdr") return Format::nrrd;
  if (ending == ".dcm" || (ending.empty() && is_dicom(path))) return Format::dicom;
  return ending.empty() ? Format::unknown : Format::picture;
}

void check_exists(const fs::path& path) {
  std::error_code error;
  check(fs::exists(path, error), path.string(), ": there is no such file or folder");
}

[[noreturn]] void fail_unknown(const fs::path& path) {
  fail(path.string(), ": is not a volume in a format that is read (NIfTI, NRRD, MetaImage, DICOM, TIFF, PNG, JPEG)");
}

#ifndef VOXGRAD_WITH_ITK
[[noreturn]] void fail_without_itk(const fs::path& path) {
  fail(path.string(), ": this build of voxgrad has no ITK and reads and writes NIfTI, NRRD and MetaImage alone");
}
#endif

// What files can hold, on the CPU, as {D, H, W, C}.
Volume writable(const fs::path& path, const Volume& v) {
  check(bool(v.data), "cannot write ", path.string(), ": the volume has no data");
  check(v.affine.is_valid(), "cannot write ", path.string(), ": its affine is not finite or not invertible");
  const Shape& s = v.data.shape();
  check((s.rank == 3 || s.rank == 4) && s.count() > 0, "cannot write ", path.string(), ": ", v.data, " is not {D, H, W, C} or {D, H, W}");
  Tensor data = v.data.detach().to(Device{});
  if (s.rank == 3) data = data.reshape({s[0], s[1], s[2], 1});
  if (data.dtype() == DType::bf16 || data.dtype() == DType::f16) data = data.to(DType::f32);
  if (data.dtype() == DType::i64) {
    const Tensor narrow = data.to(DType::i32);
    check(narrow.to_vector<int64_t>() == data.to_vector<int64_t>(), "cannot write ", path.string(), ": the values of ", data,
          " do not fit i32");
    data = narrow;
  }
  return {data, v.affine};
}
}  // namespace

std::string volume_extension(const fs::path& path) {
  const std::string name = lower(path.filename().string());
  for (const char* ending : kVolumeEndings)
    if (name.size() > std::strlen(ending) && name.ends_with(ending)) return ending;
  return {};
}

Volume read_volume(const fs::path& path, [[maybe_unused]] const ReadOptions& options) {
  check_exists(path);
  switch (format_of(path)) {
    case Format::nifti: return read_nifti(path);
    case Format::nrrd: return read_nrrd(path);
    case Format::metaimage: return read_metaimage(path);
    case Format::unknown: fail_unknown(path);
#ifdef VOXGRAD_WITH_ITK
    case Format::dicom: return read_dicom(path, options);
    default: return read_picture(path);
#else
    default: fail_without_itk(path);
#endif
  }
}

VolumeHeader read_header(const fs::path& path, [[maybe_unused]] const ReadOptions& options) {
  check_exists(path);
  switch (format_of(path)) {
    case Format::nifti: return nifti_header(path);
    case Format::nrrd: return nrrd_header(path);
    case Format::metaimage: return metaimage_header(path);
    case Format::unknown: fail_unknown(path);
#ifdef VOXGRAD_WITH_ITK
    case Format::dicom: return dicom_header(path, options);
    default: return picture_header(path);
#else
    default: fail_without_itk(path);
#endif
  }
}

void write_volume(const fs::path& path, const Volume& volume) {
  const std::string ending = volume_extension(path);
  const Volume v = writable(path, volume);
  if (ending == ".nii" || ending == ".nii.gz") return write_nifti(path, v);
  if (ending == ".nrrd") return write_nrrd(path, v);
  if (ending == ".mha" || ending == ".mhd") return write_metaimage(path, v);
  check(ending == ".tif" || ending == ".tiff" || ending == ".png" || ending == ".jpg" || ending == ".jpeg", "cannot write ", path.string(),
        ": its ending names no format that is written (.nii, .nii.gz, .nrrd, .mha, .mhd, .tif, .png, .jpg)");
#ifdef VOXGRAD_WITH_ITK
  write_picture(path, v);
#else
  fail_without_itk(path);
#endif
}

}  // namespace voxgrad
