// DICOM: single files, multi-frame files, and folders that hold the slices of a series.
#include <cmath>
#include <limits>

#include "io/formats/dicom/segmentation.h"
#include "io/formats/dicom/values.h"

namespace voxgrad {
namespace fs = std::filesystem;

namespace {
using namespace dicom;
constexpr double kLargest = std::numeric_limits<float>::max();

Affine affine_of(const Stack& s, const fs::path& path) {
  const Affine affine = affine_from_lps(s.geometry);
  check(affine.is_valid(), path.string(), ": its spacing and directions are not finite or not independent");
  return affine;
}

// Slices and channels of images; RGB makes three channels of a single volume.
struct Arranged {
  Stack stack;
  Types types;
  Shape shape;
};
Arranged arranged(const Series& s, const fs::path& path, bool labels) {
  Arranged a{.stack = stacked(s.planes, path.string()), .types = types_of(s.objects, labels)};
  const Object& o = s.objects[0];
  a.stack.rows = o.rows, a.stack.columns = o.columns;
  const int64_t samples = samples_after(o, labels);
  for (const Object& other : s.objects)
    check(samples_after(other, labels) == samples, path.string(), ": some of its images have colours and some have none");
  check(samples == 1 || a.stack.channels == 1, path.string(), ": ", a.stack.channels,
        " coloured images lie at one position (a film?); "
        "export the one that is wanted");
  a.shape = {a.stack.slices, o.rows, o.columns, std::max(samples, a.stack.channels)};
  VoxelLayout layout{.size = {a.shape[0], a.shape[1], a.shape[2]}, .channels = a.shape[3], .stored = Stored::u8};
  layout.validate(path.string() + ": its voxels");
  return a;
}

std::string warning_of(const Series& s, const Stack& stack) {
  for (const Object& o : s.objects)
    if (!o.warning.empty()) return o.warning;
  return stack.warning;
}

template <class T>
void put(const Series& s, const Arranged& a, bool labels, T* to, const std::string& who) {
  const Stack& stack = a.stack;
  // Planes by the frame that they are in: tiles share one.
  std::vector<WantedFrame> wanted;
  std::vector<std::vector<size_t>> members;
  for (size_t i = 0; i < stack.planes.size(); ++i) {
    const Placed& p = stack.planes[i];
    const Placed* first = members.empty() ? nullptr : &stack.planes[members.back()[0]];
    if (!first || p.plane.tile <= 0 || first->object != p.object) wanted.push_back({p.object, p.plane.frame}), members.emplace_back();
    members.back().push_back(i);
  }
  const int64_t plane = stack.rows * stack.columns, channels = a.shape[3], samples = samples_after(s.objects[0], labels);
  std::vector<double> part;
  each_frame(s.objects, wanted, [&](size_t w, std::vector<double>& values) {
    for (const size_t i : members[w]) {
      const Placed& p = stack.planes[i];
      const Object& o = s.objects[p.object];
      if (p.plane.tile >= 0) {
        const int64_t top = p.plane.tile / o.tiles_per_row * o.rows, left = p.plane.tile % o.tiles_per_row * o.columns;
        part.clear();
        for (int64_t r = 0; r < o.rows; ++r) {
          const auto row = values.begin() + (top + r) * o.format.columns + left;
          part.insert(part.end(), row, row + o.columns);
        }
      } else {
        part = values;
      }
      give_meaning(o, p.plane, labels, part);
      T* at = to + p.slice * plane * channels + p.channel;
      if constexpr (std::is_same_v<T, float>) {
        for (const double v : part) check(!(std::abs(v) > kLargest) || std::isinf(v), who, ": the value ", v, " does not fit f32");
      }
      if constexpr (std::is_integral_v<T>) {
        constexpr double kLow = std::numeric_limits<T>::min(), kHigh = std::numeric_limits<T>::max();
        bool fits = true;
        for (const double v : part) fits &= v >= kLow && v <= kHigh;
        if (!fits)
          for (const double v : part) check(v >= kLow && v <= kHigh, who, ": the value ", v, " does not fit ", name_of(dtype_of<T>));
      }
      if (samples > 1) std::copy(part.begin(), part.end(), at);
      else
        for (int64_t v = 0; v < plane; ++v) at[v * channels] = T(part[size_t(v)]);
    }
  });
}
}  // namespace

VolumeHeader dicom_header(const fs::path& path, const ReadOptions& options) {
  const Series s = choose_series(path, options);
  VolumeHeader h{.format = "DICOM"};
  h.modality = s.objects[0].modality;
  if (s.is_segmentation()) {
    const Segmented seg = read_segmentation(s, options.labels, path.string());
    h.format = "DICOM segmentation", h.stored = name_of(stored_as(seg.data.dtype()));
    h.shape = seg.data.shape(), h.dtype = seg.data.dtype();
    h.affine = affine_of(seg.stack, path), h.channels = seg.stack.names;
    return h;
  }
  const Arranged a = arranged(s, path, options.labels);
  h.stored = name_of(a.types.stored), h.shape = a.shape, h.dtype = a.types.dtype, h.affine = affine_of(a.stack, path);
  h.channels = a.stack.names, h.warning = warning_of(s, a.stack);
  return h;
}

DicomIdentity dicom_identity(const fs::path& path) {
  const DicomFile f = open_dicom(path);
  return {.patient = f.data.text(tag::patient_id),
          .study = f.data.text(tag::study_instance),
          .series = f.data.text(tag::series_instance),
          .image = f.pixels() != nullptr};
}

Volume read_dicom(const fs::path& path, const ReadOptions& options) {
  const Series s = choose_series(path, options);
  if (s.is_segmentation()) {
    Segmented seg = read_segmentation(s, options.labels, path.string());
    return {seg.data, affine_of(seg.stack, path)};
  }
  const Arranged a = arranged(s, path, options.labels);
  const Affine affine = affine_of(a.stack, path);
  Tensor out = Tensor::empty(a.shape, a.types.dtype);
  const auto fill = [&]<class T>(T* to) { put(s, a, options.labels, to, path.string()); };
  if (out.dtype() == DType::u8) fill(out.view().as<uint8_t>());
  else if (out.dtype() == DType::i16) fill(out.view().as<int16_t>());
  else if (out.dtype() == DType::i32) fill(out.view().as<int32_t>());
  else fill(out.view().as<float>());
  return {out, affine};
}

}  // namespace voxgrad
