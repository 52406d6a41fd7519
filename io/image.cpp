#include "io/image.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "io/formats/formats.h"
#include "io/formats/hdf5/read_hdf5.h"
#include "io/formats/text_fields.h"

namespace voxgrad {
namespace fs = std::filesystem;

namespace {
constexpr std::array kVolumeEndings = {".nii.gz", ".nii", ".hdr.gz", ".hdr", ".img.gz", ".img",  ".nrrd", ".nhdr",
                                       ".mha",    ".mhd", ".mgh",    ".mgz", ".npy",    ".npz",  ".h5",   ".hdf5",
                                       ".dcm",    ".dcm.gz", ".tif", ".tiff", ".png",   ".jpg",  ".jpeg", ".bmp"};

enum class Format { nifti, analyze, nrrd, metaimage, mgh, numpy, hdf5, dicom, picture, unknown };

Format format_of(const fs::path& path) {
  if (fs::is_directory(path)) return Format::dicom;
  const std::string ending = volume_extension(path);
  if (is_nrrd(path)) return Format::nrrd;
  if (is_numpy(path) || ending == ".npy" || ending == ".npz") return Format::numpy;
  if (is_hdf5(path) || ending == ".h5" || ending == ".hdf5") return Format::hdf5;
  const bool nifti = is_nifti(path);
  if (!nifti && is_analyze(path)) return Format::analyze;
  if (nifti || ending.starts_with(".nii") || ending.starts_with(".hdr") || ending.starts_with(".img")) return Format::nifti;
  if (is_metaimage(path) || ending == ".mha" || ending == ".mhd") return Format::metaimage;
  if (ending == ".mgh" || ending == ".mgz" || (ending.empty() && is_mgh(path))) return Format::mgh;
  if (ending == ".nrrd" || ending == ".nhdr") return Format::nrrd;
  if (ending.starts_with(".dcm") || (ending.empty() && is_dicom(path))) return Format::dicom;
  return ending.empty() ? Format::unknown : Format::picture;
}

void check_readable(const fs::path& path) {
  std::error_code error;
  check(fs::exists(path, error), path.string(), ": there is no such file or folder");
  if (fs::is_directory(path)) return;
  const std::string kind = unread_kind(path);
  check(kind.empty(), path.string(), ": is ", kind);
}

[[noreturn]] void fail_unknown(const fs::path& path) {
  fail(path.string(),
       ": is not a volume in a format that is read (NIfTI, Analyze, NRRD, MetaImage, MGH,"
       " NumPy, HDF5, DICOM, TIFF, PNG, JPEG, BMP)");
}

#ifndef VOXGRAD_WITH_ITK
[[noreturn]] void fail_without_itk(const fs::path& path) {
  fail(path.string(), ": this build of voxgrad has no ITK and reads no TIFF, PNG, JPEG and BMP");
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
  return {data, v.affine, v.unit};
}
}  // namespace

std::string volume_extension(const fs::path& path) {
  const std::string name = lower(path.filename().string());
  for (const char* ending : kVolumeEndings)
    if (name.size() > std::strlen(ending) && name.ends_with(ending)) return ending;
  return {};
}

namespace {
Volume read_all(const fs::path& path, [[maybe_unused]] const ReadOptions& options) {
  switch (format_of(path)) {
    case Format::nifti: return read_nifti(path);
    case Format::analyze: return read_analyze(path);
    case Format::mgh: return read_mgh(path);
    case Format::numpy: return read_numpy(path, options);
    case Format::hdf5: return read_hdf5(path, options);
    case Format::nrrd: return read_nrrd(path);
    case Format::metaimage: return read_metaimage(path);
    case Format::unknown: fail_unknown(path);
    case Format::dicom: return read_dicom(path, options);
#ifdef VOXGRAD_WITH_ITK
    default: return read_picture(path, options);
#else
    default: fail_without_itk(path);
#endif
  }
}

// {D, H, W, 1} of channel k.
Tensor channel(const Tensor& t, int64_t k) {
  const Tensor out = Tensor::empty({t.dim(0), t.dim(1), t.dim(2), 1}, t.dtype());
  on_any_dtype(t.dtype(), [&]<class T>() {
    const T* from = t.view().as<T>() + k;
    T* to = out.view().as<T>();
    for (int64_t i = 0; i < out.count(); ++i) to[i] = from[i * t.dim(3)];
  });
  return out;
}

void check_volume(const fs::path& path, int volume, int64_t volumes) {
  check(volume < volumes, path.string(), ": has no volume ", volume, "; it has ", volumes, ", counted from 0");
}
}  // namespace

bool is_flat_picture(const fs::path& path) {
  const std::string ending = volume_extension(path);
  return ending == ".png" || ending == ".jpg" || ending == ".jpeg" || ending == ".bmp";
}

Volume one_of(const Volume& v, int64_t k) { return v.data.dim(3) > 1 ? Volume{channel(v.data, k), v.affine, v.unit} : v; }

Volume read_volume(const fs::path& path, const ReadOptions& options) {
  check_readable(path);
  const Volume v = read_all(path, options);
  if (options.volume < 0) return v;
  check_volume(path, options.volume, v.data.dim(3));
  return one_of(v, options.volume);
}

namespace {
VolumeHeader header_at(const fs::path& path, [[maybe_unused]] const ReadOptions& options) {
  switch (format_of(path)) {
    case Format::nifti: return nifti_header(path);
    case Format::analyze: return analyze_header(path);
    case Format::mgh: return mgh_header(path);
    case Format::numpy: return numpy_header(path, options);
    case Format::hdf5: return hdf5_header(path, options);
    case Format::nrrd: return nrrd_header(path);
    case Format::metaimage: return metaimage_header(path);
    case Format::unknown: fail_unknown(path);
    case Format::dicom: return dicom_header(path, options);
#ifdef VOXGRAD_WITH_ITK
    default: return picture_header(path, options);
#else
    default: fail_without_itk(path);
#endif
  }
}

// The element type to write: the one asked for where every value has a place in it.
Stored stored_for(const Tensor& t, const std::string& wanted) {
  const Stored own = stored_as(t.dtype());
  double low = 0, high = 0;
  if (wanted == "u16" || wanted == "i8" || wanted == "u32") {
    if (is_floating(t.dtype())) return own;
    on_any_dtype(t.dtype(), [&]<class T>() {
      const T* x = t.view().as<T>();
      const auto [least, most] = std::minmax_element(x, x + t.count());
      low = double(*least), high = double(*most);
    });
  }
  if (wanted == "u16" && low >= 0 && high <= 65535) return Stored::u16;
  if (wanted == "i8" && low >= -128 && high <= 127) return Stored::i8;
  if (wanted == "u32" && low >= 0) return Stored::u32;
  return own;
}
}  // namespace

VolumeHeader read_header(const fs::path& path, const ReadOptions& options) {
  check_readable(path);
  VolumeHeader h = header_at(path, options);
  if (options.volume < 0) return h;
  check_volume(path, options.volume, h.shape[3]);
  h.shape = h.shape.with(3, 1);
  return h;
}

void write_volume(const fs::path& path, const Volume& volume, const WriteOptions& options) {
  const std::string ending = volume_extension(path);
  const Volume v = writable(path, volume);
  const Stored stored = stored_for(v.data, options.stored);
  if (ending == ".nii" || ending == ".nii.gz") return write_nifti(path, v, stored);
  if (ending == ".nrrd") return write_nrrd(path, v, stored);
  if (ending == ".mha" || ending == ".mhd") return write_metaimage(path, v, stored);
  if (ending == ".mgh" || ending == ".mgz") return write_mgh(path, v, stored);
  if (ending == ".npy" || ending == ".npz") return write_numpy(path, v, stored);
  if (ending == ".dcm") return write_segmentation(path, v);
  check(ending == ".tif" || ending == ".tiff" || is_flat_picture(path), "cannot write ", path.string(),
        ": its ending names no format that is written (.nii, .nii.gz, .nrrd, .mha, .mhd, .mgz, .mgh, .npz, .npy, .dcm, .tif, .png, .jpg,"
        " .bmp)");
#ifdef VOXGRAD_WITH_ITK
  write_picture(path, v, stored);
#else
  fail_without_itk(path);
#endif
}

}  // namespace voxgrad
