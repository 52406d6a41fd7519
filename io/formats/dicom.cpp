// DICOM: single files, multi-frame files, and folders that hold the slices of a series.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>

#include "io/formats/foreign.h"

namespace voxgrad {
namespace fs = std::filesystem;

bool is_dicom(const fs::path& path) {
  ByteSource source(path);
  unsigned char b[132] = {};
  const uint64_t got = source.read_some(b, sizeof b);
  if (got == sizeof b && std::memcmp(b + 128, "DICM", 4) == 0) return true;
  // Without the preamble: the first element belongs to group 0002 or 0008, little-endian.
  return got >= 16 && (b[0] == 2 || b[0] == 8) && b[1] == 0 && b[3] == 0 && (b[2] <= 0x18 || b[2] == 0x60);
}

#ifdef VOXGRAD_WITH_ITK
namespace {
// A step between slices may differ from their mean by this much of it before slices are taken to be missing.
constexpr double kUneven = 0.1;

struct Slice {
  fs::path path;
  Decoded image;
  double height = 0;  // mm along the normal
};

std::array<double, 3> normal_of(const LpsGeometry& g) {
  std::array<double, 3> n;
  for (int r = 0; r < 3; ++r) n[r] = g.axis[0][(r + 1) % 3] * g.axis[1][(r + 2) % 3] - g.axis[0][(r + 2) % 3] * g.axis[1][(r + 1) % 3];
  const double length = std::sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]);
  for (double& v : n) v /= length;
  return n;
}

std::vector<fs::path> dicom_files(const fs::path& folder) {
  std::vector<fs::path> files;
  for (auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (entry.is_regular_file() && name[0] != '.' && name != "DICOMDIR" && is_dicom(entry.path())) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  check(!files.empty(), folder.string(), ": is a folder without DICOM files");
  return files;
}

// The one series that is meant.
std::vector<Slice> series_in(const fs::path& folder, const ReadOptions& options, Part part) {
  const auto files = dicom_files(folder);
  auto headers = decode(Foreign::dicom, files, Part::header);
  std::map<std::string, std::pair<int, std::string>> series;
  for (auto& h : headers) ++series[h.series].first, series[h.series].second = h.description;
  std::string list;
  std::vector<std::string> meant;
  for (auto& [uid, about] : series) {
    list += "\n  " + uid + "  " + std::to_string(about.first) + (about.first == 1 ? " file  " : " files  ") + about.second;
    if (uid.ends_with(options.series)) meant.push_back(uid);
  }
  check(!meant.empty(), folder.string(), ": has no series \"", options.series, "\"; it has", list);
  check(meant.size() == 1, folder.string(), ": has ", meant.size(), " DICOM series; choose one by its SeriesInstanceUID:", list);
  std::vector<Slice> slices;
  std::vector<fs::path> paths;
  for (size_t i = 0; i < files.size(); ++i)
    if (headers[i].series == meant[0]) slices.push_back({files[i], std::move(headers[i])}), paths.push_back(files[i]);
  if (part == Part::all) {
    auto images = decode(Foreign::dicom, paths, Part::all);
    for (size_t i = 0; i < slices.size(); ++i) slices[i].image = std::move(images[i]);
  }
  return slices;
}

void check_alike(const std::vector<Slice>& slices, const fs::path& folder) {
  const Decoded& model = slices.front().image;
  for (auto& s : slices) {
    const VoxelLayout &a = s.image.layout, &b = model.layout;
    const std::string name = s.path.filename().string();
    check(a.size[0] == 1, folder.string(), ": several files of the series hold volumes, such as ", name);
    check(a.size[1] == b.size[1] && a.size[2] == b.size[2] && a.channels == b.channels, folder.string(), ": ", name, " has ", a.size[2],
          " x ", a.size[1], " pixels of ", a.channels, " channels, other files of the series ", b.size[2], " x ", b.size[1], " of ",
          b.channels);
    for (int axis = 0; axis < 2; ++axis)
      for (int r = 0; r < 3; ++r)
        check(std::abs(s.image.geometry.axis[axis][r] - model.geometry.axis[axis][r]) < 1e-3, folder.string(), ": ", name,
              " has another orientation or pixel spacing than other files of the series");
  }
}

// Puts the slices in order and finds the step between them, which is not along the normal where the gantry was tilted.
Decoded stacked(std::vector<Slice>& slices, const fs::path& folder) {
  if (slices.size() > 1) check_alike(slices, folder);
  const auto normal = normal_of(slices.front().image.geometry);
  for (auto& s : slices)
    for (int r = 0; r < 3; ++r) s.height += normal[r] * s.image.geometry.origin[r];
  std::stable_sort(slices.begin(), slices.end(), [](const Slice& a, const Slice& b) { return a.height < b.height; });
  Decoded out{.layout = slices.front().image.layout, .geometry = slices.front().image.geometry};
  for (auto& s : slices)  // PET: every slice may have a slope of its own
    if (s.image.layout.dtype() != out.layout.dtype()) out.layout.stored = Stored::f32;
  const size_t n = slices.size();
  if (n == 1) return out;
  out.layout.size[0] = int64_t(n);
  double least = slices[1].height - slices[0].height, most = least;
  for (size_t i = 1; i < n; ++i) {
    const double gap = slices[i].height - slices[i - 1].height;
    least = std::min(least, gap), most = std::max(most, gap);
  }
  const double mean = (slices.back().height - slices.front().height) / double(n - 1);
  check(least > 1e-4, folder.string(), ": several files of the series lie at one position (a time series?); they are not read as a volume");
  check(most - mean <= kUneven * mean && mean - least <= kUneven * mean, folder.string(), ": its slices are not evenly spaced: from ",
        least, " to ", most, " mm apart; some may be missing");
  for (int r = 0; r < 3; ++r)
    out.geometry.axis[2][r] = (slices.back().image.geometry.origin[r] - slices.front().image.geometry.origin[r]) / double(n - 1);
  return out;
}

std::vector<Slice> slices_at(const fs::path& path, const ReadOptions& options, Part part) {
  if (fs::is_directory(path)) return series_in(path, options, part);
  std::vector<Slice> one;
  one.push_back({path, decode(Foreign::dicom, {path}, part)[0]});
  return one;
}

Affine affine_of(const Decoded& d, const fs::path& path) {
  const Affine affine = affine_from_lps(d.geometry);
  check(affine.is_valid(), path.string(), ": its spacing and directions are not finite or not independent");
  return affine;
}
}  // namespace

VolumeHeader dicom_header(const fs::path& path, const ReadOptions& options) {
  auto slices = slices_at(path, options, Part::header);
  const Decoded d = stacked(slices, path);
  return header_of(d.layout, affine_of(d, path));
}

Volume read_dicom(const fs::path& path, const ReadOptions& options) {
  auto slices = slices_at(path, options, Part::all);
  const Decoded d = stacked(slices, path);
  const Affine affine = affine_of(d, path);
  Tensor out = Tensor::empty(d.layout.shape(), d.layout.dtype());
  char* to = out.view().as<char>();
  for (auto& s : slices) {
    const Tensor data = convert_voxels(s.image.pixels, s.image.layout, s.path.string()).to(out.dtype());
    std::memcpy(to, data.view().data, data.bytes());
    to += data.bytes();
  }
  return {out, affine};
}
#endif

}  // namespace voxgrad
