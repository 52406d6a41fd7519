#include "tasks/reconstruction/projections.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "core/autograd.h"
#include "core/config/config_table.h"
#include "core/config/json_values.h"
#include "kernels/reduce/reduce.h"
#include "layers/inverse/solvers.h"
#include "layers/tomography/filtered_backprojection.h"

namespace voxgrad {
namespace {

constexpr double kDegree = std::numbers::pi / 180, kLargestLength = 1e6 /* mm */, kMostVoxels = double(1 << 30);
constexpr std::array<const char*, 5> kWindows = {"ramp", "shepp_logan", "cosine", "hamming", "hann"};  // in the order of RampWindow

struct GeometryKeys {
  std::string beam = "parallel";
  Int3 volume = {0, 0, 0};
  std::vector<double> voxel = {1, 1, 1}, angles;
  double start = 0, range = 0;  // degrees; 0: as the beam has it
};

std::vector<double> numbers_in(const Json& v, const char* wanted) {
  check(v.is_array() && std::all_of(v.begin(), v.end(), [](const Json& x) { return x.is_number() && std::isfinite(x.get<double>()); }),
        wanted);
  return v.get<std::vector<double>>();
}

ConfigTable keys_of(GeometryKeys& k, ProjectionGeometry& g) {
  ConfigTable t;
  t.choice("beam", k.beam, {"parallel", "fan", "cone"}, "");
  t.extents("volume", k.volume, 1, 1 << 15, "");
  t.add("voxel", "", k.voxel, [](const Json& v) {
    const std::vector<double> mm = numbers_in(v, "three numbers of mm are wanted, [depth, height, width]");
    check(mm.size() == 3 && *std::min_element(mm.begin(), mm.end()) > 0, "three numbers of mm above 0 are wanted, [depth, height, width]");
    return mm;
  });
  t.add("angles", "", k.angles, [](const Json& v) { return numbers_in(v, "a list of degrees is wanted"); });
  t.number("start", k.start, -1e6, 1e6, "");
  t.number("range", k.range, -1e6, 1e6, "");
  t.number("column_spacing", g.column_spacing, 1e-9, kLargestLength, "");
  t.number("column_offset", g.column_offset, -kLargestLength, kLargestLength, "");
  t.number("row_spacing", g.row_spacing, 1e-9, kLargestLength, "");
  t.number("source_distance", g.source_distance, 0, kLargestLength, "");
  t.number("detector_distance", g.detector_distance, 0, kLargestLength, "");
  return t;
}

}  // namespace

ProjectionGeometry geometry_from(const Json& j, const Shape& s, const std::string& name) {
  check(s.rank == 4 && s[3] == 1, name, ": projections {rows, views, columns} are wanted, not ", s);
  check(j.is_object(), name, ": an object with the keys of a geometry is wanted");
  ProjectionGeometry g;
  GeometryKeys k;
  const ConfigTable t = keys_of(k, g);
  for (auto& [key, value] : j.items()) set_key(t.keys, key, value, name);
  check(k.volume.h > 0, name, ": has no \"volume\": [depth, height, width], the extents of the image in voxels");
  g.beam = k.beam == "parallel" ? Beam::parallel : k.beam == "fan" ? Beam::fan : Beam::cone;
  g.volume = k.volume;
  std::copy_n(k.voxel.begin(), 3, g.voxel);
  g.columns = s[2];
  g.rows = s[0];
  const double voxels = double(g.volume.d) * g.volume.h * g.volume.w;
  check(voxels <= kMostVoxels, name, ": a volume of ", g.volume, " is more than ", kMostVoxels, " voxels");
  check(g.beam == Beam::cone || k.volume.d == s[0], name, ": there are projections of ", s[0], " slices, the volume has ", k.volume.d);
  check(k.angles.empty() || int64_t(k.angles.size()) == s[1], name, ": has ", k.angles.size(), " angles, there are ", s[1], " views");
  const double turn = k.range != 0 ? k.range : g.beam == Beam::parallel ? 180 : 360;
  g.angles = equal_angles(s[1], turn * kDegree, k.start * kDegree);
  for (size_t i = 0; i < k.angles.size(); ++i) g.angles[i] = k.angles[i] * kDegree;
  return g;
}

Volume reconstruct_projections(const Tensor& projections, const ProjectionGeometry& g, const ProjectionsOptions& o) {
  const auto window = std::find(kWindows.begin(), kWindows.end(), o.window);
  check(window != kWindows.end(), "reconstruct_projections: there is no window \"", o.window,
        "\"; ramp, shepp_logan, cosine, hamming, hann are there");
  check(o.method == "fbp" || o.method == "sirt" || o.method == "cg" || o.method == "total_variation",
        "reconstruct_projections: there is no method \"", o.method, "\"; fbp, sirt, cg, total_variation are there");
  const Unrecorded quiet;
  const Projector projector(g);
  const Shape s = projections.shape();
  const Tensor y = projections.reshape({1, s[0], s[1], s[2], 1});
  const auto image = [&](const Tensor& x) -> Volume {
    return {x.reshape({g.volume.d, g.volume.h, g.volume.w, 1}), Affine::scaling({g.voxel[0], g.voxel[1], g.voxel[2]})};
  };
  const LinearMap a = projection_map(projector);
  const int iterations = o.iterations > 0 ? o.iterations : o.method == "sirt" ? 100 : o.method == "cg" ? 30 : 300;
  if (o.method == "sirt") return image(sirt(a, y, {.iterations = iterations, .non_negative = o.non_negative}));
  if (o.method == "cg") {
    const double norm = o.weight > 0 ? norm_of(a, Tensor::full(g.images_of(y.shape()), 1)) : 0;
    return image(cgls(a, y, {.iterations = iterations, .regularization = std::max(0.0, o.weight) * norm * norm}));
  }
  const Tensor filtered = filtered_backprojection(y, g, RampWindow(window - kWindows.begin()));
  const double most = max(filtered).item();
  if (o.method == "fbp" || most <= 0) return image(filtered);
  const int axes = g.beam == Beam::cone ? 3 : 2;
  return image(total_variation(a, y * (1 / most),
                               {.weight = o.weight >= 0 ? o.weight : 0.001, .iterations = iterations, .axes = axes,
                                .non_negative = o.non_negative}) * most);
}

}  // namespace voxgrad
