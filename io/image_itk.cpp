// DICOM, TIFF, PNG and JPEG through ITK. The only file that includes it.
#if __has_include(<gdcm-3.0/gdcmTrace.h>)
#include <gdcm-3.0/gdcmTrace.h>
#define VOXGRAD_GDCM_TRACE
#endif
#include <itkGDCMImageIO.h>
#include <itkJPEGImageIO.h>
#include <itkPNGImageIO.h>
#include <itkTIFFImageIO.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>

#include "io/formats.h"

namespace voxgrad {
namespace fs = std::filesystem;

namespace {
// The most that a picture's or a DICOM file's compression is believed to reach.
constexpr uint64_t kMostCompression = 100000;

// While alive, ITK and GDCM write no warnings to the terminal. What matters of them comes back as an Error.
class Quiet {
 public:
  Quiet() : shown_(itk::Object::GetGlobalWarningDisplay()) {
    itk::Object::SetGlobalWarningDisplay(false);
#ifdef VOXGRAD_GDCM_TRACE
    gdcm::Trace::DebugOff(), gdcm::Trace::WarningOff(), gdcm::Trace::ErrorOff();
#endif
  }
  ~Quiet() { itk::Object::SetGlobalWarningDisplay(shown_); }
  Quiet(const Quiet&) = delete;

 private:
  bool shown_;
};

// Calls f; what ITK throws becomes an Error that names the file.
template <class F>
decltype(auto) translated(const fs::path& path, F&& f) {
  const Quiet quiet;
  try {
    return f();
  } catch (const Error&) {
    throw;
  } catch (const itk::ExceptionObject& e) {
    std::string reason = e.GetDescription();
    std::replace(reason.begin(), reason.end(), '\n', ' ');
    fail(path.string(), ": cannot be read: ", reason);
  } catch (const std::exception& e) {
    fail(path.string(), ": cannot be read: ", e.what());
  }
}

Stored stored_of(itk::IOComponentEnum type, const fs::path& path) {
  using T = itk::IOComponentEnum;
  switch (type) {
    case T::UCHAR: return Stored::u8;
    case T::CHAR: return Stored::i8;
    case T::USHORT: return Stored::u16;
    case T::SHORT: return Stored::i16;
    case T::UINT: return Stored::u32;
    case T::INT: return Stored::i32;
    case T::ULONG: case T::ULONGLONG: return Stored::u64;
    case T::LONG: case T::LONGLONG: return Stored::i64;
    case T::FLOAT: return Stored::f32;
    case T::DOUBLE: return Stored::f64;
    default: fail(path.string(), ": its pixel type is not one that is read");
  }
}

struct Opened {
  VoxelLayout layout;
  LpsGeometry geometry;
};

Opened open_image(itk::ImageIOBase& io, const fs::path& path, const char* format) {
  io.SetFileName(path.string());
  io.ReadImageInformation();
  Opened o{.layout = {.format = format, .channels = int64_t(io.GetNumberOfComponents()), .stored = stored_of(io.GetComponentType(), path)}};
  const unsigned axes = io.GetNumberOfDimensions();
  for (unsigned a = 0; a < axes; ++a) {
    if (a >= 3) check(io.GetDimensions(a) == 1, path.string(), ": has ", axes, " axes, up to 3 are read");
    if (a >= 3) continue;
    o.layout.size[2 - a] = int64_t(io.GetDimensions(a));
    const double spacing = io.GetSpacing(a);
    const auto direction = io.GetDirection(a);
    for (unsigned r = 0; r < 3; ++r)
      o.geometry.axis[a][r] = (std::isfinite(spacing) && spacing > 0 ? spacing : 1) * (r < direction.size() ? direction[r] : double(a == r));
    o.geometry.origin[a] = io.GetOrigin(a);
  }
  o.layout.validate(path.string());
  const uint64_t file = fs::file_size(path);
  check(o.layout.bytes() / kMostCompression <= file, path.string(), ": the header announces ", o.layout.bytes(), " bytes of voxels, but the file has ",
        file, " bytes");
  return o;
}

Tensor read_pixels(itk::ImageIOBase& io, const Opened& o, const fs::path& path) {
  itk::ImageIORegion region(io.GetNumberOfDimensions());
  for (unsigned a = 0; a < io.GetNumberOfDimensions(); ++a) region.SetIndex(a, 0), region.SetSize(a, io.GetDimensions(a));
  io.SetIORegion(region);
  std::vector<std::byte> data(std::max<uint64_t>(o.layout.bytes(), uint64_t(io.GetImageSizeInBytes())));
  io.Read(data.data());
  return convert_voxels(std::span(data).first(o.layout.bytes()), o.layout, path.string());
}

itk::ImageIOBase::Pointer picture_io(const fs::path& path) {
  const std::string ending = volume_extension(path);
  if (ending == ".png") return itk::PNGImageIO::New().GetPointer();
  if (ending == ".jpg" || ending == ".jpeg") return itk::JPEGImageIO::New().GetPointer();
  return itk::TIFFImageIO::New().GetPointer();
}

const char* picture_format(const fs::path& path) {
  const std::string ending = volume_extension(path);
  return ending == ".png" ? "PNG" : ending[1] == 'j' ? "JPEG" : "TIFF";
}

// One file of a DICOM series.
struct Slice {
  fs::path path;
  Opened opened;
  std::string series, description;
  double height = 0;  // mm along the normal
};

std::string tag(itk::GDCMImageIO& io, const char* name) {
  std::string value;
  io.GetValueFromTag(name, value);
  while (!value.empty() && (value.back() == ' ' || value.back() == '\0')) value.pop_back();
  return value;
}

std::array<double, 3> normal_of(const LpsGeometry& g) {
  std::array<double, 3> n;
  for (int r = 0; r < 3; ++r) n[r] = g.axis[0][(r + 1) % 3] * g.axis[1][(r + 2) % 3] - g.axis[0][(r + 2) % 3] * g.axis[1][(r + 1) % 3];
  const double length = std::sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]);
  for (double& v : n) v /= length;
  return n;
}

std::vector<Slice> slices_in(const fs::path& folder) {
  std::vector<Slice> slices;
  std::vector<fs::path> files;
  for (auto& entry : fs::directory_iterator(folder))
    if (entry.is_regular_file() && entry.path().filename().string()[0] != '.') files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  for (auto& path : files) {
    if (!is_dicom(path)) continue;
    translated(path, [&] {
      auto io = itk::GDCMImageIO::New();
      Slice s{.path = path, .opened = open_image(*io, path, "DICOM")};
      s.series = tag(*io, "0020|000e"), s.description = tag(*io, "0008|103e");
      const auto n = normal_of(s.opened.geometry);
      for (int r = 0; r < 3; ++r) s.height += n[r] * s.opened.geometry.origin[r];
      slices.push_back(std::move(s));
    });
  }
  check(!slices.empty(), folder.string(), ": is a folder without DICOM images");
  return slices;
}

// Keeps the one series that is meant.
std::vector<Slice> chosen_series(std::vector<Slice> slices, const fs::path& folder, const ReadOptions& options) {
  std::map<std::string, std::pair<int, std::string>> series;
  for (auto& s : slices) ++series[s.series].first, series[s.series].second = s.description;
  std::string list;
  std::vector<std::string> meant;
  for (auto& [uid, about] : series) {
    list += "\n  " + uid + "  " + std::to_string(about.first) + " images  " + about.second;
    if (uid.ends_with(options.series)) meant.push_back(uid);
  }
  check(!meant.empty(), folder.string(), ": has no series \"", options.series, "\"; it has", list);
  check(meant.size() == 1, folder.string(), ": has ", meant.size(), " DICOM series; choose one by its series UID:", list);
  std::erase_if(slices, [&](const Slice& s) { return s.series != meant[0]; });
  return slices;
}

// Puts the slices in order and finds the step between them: not along the normal where the gantry was tilted.
Opened stacked(std::vector<Slice>& slices, const fs::path& folder) {
  const Slice& model = slices.front();
  for (auto& s : slices) {
    const VoxelLayout &a = s.opened.layout, &b = model.opened.layout;
    check(slices.size() == 1 || a.size[0] == 1, folder.string(), ": several files of the series hold volumes");
    check(std::equal(a.size, a.size + 3, b.size) && a.channels == b.channels, folder.string(), ": ", s.path.filename().string(), " has ", a.size[2], " x ",
          a.size[1], " pixels of ", a.channels, " channels, other files of the series ", b.size[2], " x ", b.size[1], " of ", b.channels);
    for (int axis = 0; axis < 2; ++axis)
      for (int r = 0; r < 3; ++r)
        check(std::abs(s.opened.geometry.axis[axis][r] - model.opened.geometry.axis[axis][r]) < 1e-3, folder.string(), ": ",
              s.path.filename().string(), " has another orientation or spacing than other files of the series");
  }
  std::stable_sort(slices.begin(), slices.end(), [](const Slice& a, const Slice& b) { return a.height < b.height; });
  Opened out = slices.front().opened;
  for (auto& s : slices)
    if (s.opened.layout.dtype() != out.layout.dtype()) out.layout.stored = Stored::f32;
  const auto n = int64_t(slices.size());
  if (n == 1) return out;
  out.layout.size[0] = n;
  std::vector<double> gaps;
  for (size_t i = 1; i < slices.size(); ++i) gaps.push_back(slices[i].height - slices[i - 1].height);
  const auto [least, most] = std::minmax_element(gaps.begin(), gaps.end());
  const double mean = (slices.back().height - slices.front().height) / double(n - 1);
  check(*least > 1e-4, folder.string(), ": several images of the series lie at the same position (a time series?); they are not read as a volume");
  check(*most - mean < 0.1 * mean && mean - *least < 0.1 * mean, folder.string(), ": the slices are not evenly spaced: from ", *least, " to ", *most,
        " mm apart; some may be missing");
  for (int r = 0; r < 3; ++r)
    out.geometry.axis[2][r] = (slices.back().opened.geometry.origin[r] - slices.front().opened.geometry.origin[r]) / double(n - 1);
  return out;
}

std::vector<Slice> series_at(const fs::path& path, const ReadOptions& options) { return chosen_series(slices_in(path), path, options); }
}  // namespace

bool is_dicom(const fs::path& path) {
  const Quiet quiet;
  try {
    return itk::GDCMImageIO::New()->CanReadFile(path.string().c_str());
  } catch (const std::exception&) {
    return false;
  }
}

VolumeHeader dicom_header(const fs::path& path, const ReadOptions& options) {
  Opened o;
  if (fs::is_directory(path)) {
    auto slices = series_at(path, options);
    o = stacked(slices, path);
  } else {
    o = translated(path, [&] { return open_image(*itk::GDCMImageIO::New(), path, "DICOM"); });
  }
  return header_of(o.layout, affine_from_lps(o.geometry));
}

Volume read_dicom(const fs::path& path, const ReadOptions& options) {
  std::vector<Slice> slices;
  if (fs::is_directory(path)) slices = series_at(path, options);
  else slices.push_back({.path = path, .opened = translated(path, [&] { return open_image(*itk::GDCMImageIO::New(), path, "DICOM"); })});
  const Opened o = stacked(slices, path);
  const Affine affine = affine_from_lps(o.geometry);
  check(affine.is_valid(), path.string(), ": its spacing and directions are not finite or not independent");
  Tensor out = Tensor::empty(o.layout.shape(), o.layout.dtype());
  char* to = out.view().as<char>();
  for (auto& s : slices) {
    const Tensor data = translated(s.path, [&] {
      auto io = itk::GDCMImageIO::New();
      const Opened one = open_image(*io, s.path, "DICOM");
      return read_pixels(*io, one, s.path).to(out.dtype());
    });
    std::memcpy(to, data.view().data, data.bytes());
    to += data.bytes();
  }
  return {out, affine};
}

VolumeHeader picture_header(const fs::path& path) {
  return translated(path, [&] {
    const Opened o = open_image(*picture_io(path), path, picture_format(path));
    return header_of(o.layout, affine_from_lps(o.geometry));
  });
}

Volume read_picture(const fs::path& path) {
  return translated(path, [&] {
    const auto io = picture_io(path);
    const Opened o = open_image(*io, path, picture_format(path));
    return Volume{read_pixels(*io, o, path), affine_from_lps(o.geometry)};
  });
}

void write_picture(const fs::path& path, const Volume& v) {
  const Shape& s = v.data.shape();
  const DType t = v.data.dtype();
  const bool tiff = volume_extension(path).starts_with(".tif");
  check(t == DType::u8 || (tiff && (t == DType::i16 || t == DType::f32)), "cannot write ", path.string(), ": ", v.data, ", wanted u8",
        tiff ? ", i16 or f32" : "");
  check((tiff || s[0] == 1) && (s[3] == 1 || s[3] == 3), "cannot write ", path.string(), ": ", v.data, ", wanted ",
        tiff ? "" : "one slice of ", "1 or 3 channels");
  AtomicFile file(path);
  bool same = false;
  try {
    const Quiet quiet;
    const auto io = picture_io(path);
    const unsigned axes = s[0] > 1 ? 3 : 2;
    io->SetFileName(file.temporary().string());
    io->SetNumberOfDimensions(axes);
    itk::ImageIORegion region(axes);
    for (unsigned a = 0; a < axes; ++a) io->SetDimensions(a, size_t(s[2 - int(a)])), region.SetIndex(a, 0), region.SetSize(a, size_t(s[2 - int(a)]));
    io->SetIORegion(region);
    io->SetNumberOfComponents(unsigned(s[3]));
    io->SetPixelType(s[3] == 3 ? itk::IOPixelEnum::RGB : itk::IOPixelEnum::SCALAR);
    io->SetComponentType(t == DType::u8 ? itk::IOComponentEnum::UCHAR : t == DType::i16 ? itk::IOComponentEnum::SHORT : itk::IOComponentEnum::FLOAT);
    io->WriteImageInformation();
    io->Write(v.data.view().data);
    // ITK does not report every failure to write: what was written must read back.
    const Tensor back = read_picture(file.temporary()).data;
    same = back.shape() == s && (back.dtype() == t);
    if (same && volume_extension(path)[1] != 'j') same = std::memcmp(back.view().data, v.data.view().data, v.data.bytes()) == 0;
  } catch (const std::exception& e) {
    fail("cannot write ", path.string(), ": ", e.what());
  }
  check(same, "cannot write ", path.string(), ": it does not read back as it was written; is the disk full?");
  file.commit();
}

}  // namespace voxgrad
