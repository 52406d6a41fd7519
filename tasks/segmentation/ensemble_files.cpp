#include "tasks/segmentation/ensemble_files.h"

#include "core/device/parallel.h"
#include "data/listing/files_by_case.h"
#include "io/grid.h"
#include "io/image.h"
#include "io/numpy_planes.h"

namespace voxgrad {
namespace {

namespace fs = std::filesystem;

Affine place_of(const NumpyPlanes& planes, const fs::path& npz) {
  if (planes.affine()) return *planes.affine();
  for (const auto& entry : fs::directory_iterator(npz.has_parent_path() ? npz.parent_path() : fs::path("."))) {
    const fs::path& file = entry.path();
    if (file == npz || file.extension() == ".npz" || volume_extension(file).empty() || is_flat_picture(file)) continue;
    if (case_name(file) != case_name(npz)) continue;
    const VolumeHeader mask = read_header(file);
    const Int3 size = planes.size();
    check(mask.shape[0] == size.d && mask.shape[1] == size.h && mask.shape[2] == size.w, npz.string(), ": its extents ", size,
          " are not those of ", file.string());
    return mask.affine;
  }
  fail(npz.string(), ": has no \"affine\", and there is no mask of its name beside it to say where it lies");
}

}  // namespace

Volume ensemble_files(const std::vector<fs::path>& files, const LabelMap& map, const fs::path& mean) {
  check(!files.empty(), "ensemble: no probabilities are given");
  std::vector<NumpyPlanes> members;
  Affine affine;
  for (const fs::path& file : files) {
    members.emplace_back(file);
    const NumpyPlanes &one = members.back(), &first = members.front();
    const Affine place = place_of(one, file);
    if (members.size() == 1) affine = place;
    check(one.size() == first.size() && one.channels() == first.channels(), file.string(), ": has ", one.channels(), " channels of ",
          one.size(), " voxels, ", files[0].string(), " has ", first.channels(), " of ", first.size());
    const Int3 s = one.size();
    const Grid here = grid_of(Shape{s.d, s.h, s.w}, place), there = grid_of(Shape{s.d, s.h, s.w}, affine);
    const GridComparison c = compare_grids(here, there);
    check(c.same() && c.onto.is_canonical(), grid_difference(c, here, file.string(), there, files[0].string()));
  }
  const int64_t channels = members[0].channels(), regions = int64_t(map.regions.size());
  check(regions == 0 ? channels <= 256 : channels == regions, files[0].string(), ": has ", channels, " channels, wanted ",
        regions ? std::to_string(regions) + ", one for each region" : "256 at the most");
  const Int3 size = members[0].size();
  const Shape shape = {size.d, size.h, size.w};
  const Tensor labels = Tensor::zeros(shape, DType::u8), best = Tensor::zeros(shape);
  std::optional<NumpyPlanesWriter> writer;
  if (!mean.empty()) writer.emplace(mean, "probabilities", Shape{channels, size.d, size.h, size.w}, affine);
  const float share = 1.f / float(members.size());
  for (int64_t k = 0; k < channels; ++k) {
    const Tensor sum = members[0].next();
    float* p = sum.view().as<float>();
    const auto for_all = [&](auto&& f) { parallel_for(sum.count(), 1 << 15, f); };
    for (size_t m = 1; m < members.size(); ++m) {
      const Tensor other = members[m].next();
      const float* q = other.view().as<float>();
      for_all([&](int64_t i) { p[i] += q[i]; });
    }
    for_all([&](int64_t i) { p[i] *= share; });
    uint8_t* label = labels.view().as<uint8_t>();
    float* most = best.view().as<float>();
    if (regions) {
      const auto written = uint8_t(map.regions[size_t(k)].written);
      for_all([&](int64_t i) { label[i] = p[i] > 0.5f ? written : label[i]; });
    } else {
      for_all([&](int64_t i) {
        if (k > 0 && !(p[i] > most[i])) return;
        most[i] = p[i];
        label[i] = uint8_t(k);
      });
    }
    if (writer) writer->put(k, {0, 0, 0}, sum);
  }
  if (writer) writer->commit();
  return {labels.reshape({size.d, size.h, size.w, 1}), affine};
}

}  // namespace voxgrad
