#include "augment/spatial/extract_patch.h"

#include <algorithm>
#include <cmath>

#include "augment/spatial/moved_places.h"
#include "augment/spatial/patch_geometry.h"
#include "core/device/isa.h"
#include "core/device/parallel.h"

namespace voxgrad {
namespace {

constexpr double kWholeVoxel = 1e-6;  // a pose this close to whole voxels is one
constexpr double kFarthest = 1e8;     // voxels; coordinates within a row stay well inside 32 bits

bool is_identity(const Matrix3& m) {
  for (int a = 0; a < 3; ++a)
    for (int b = 0; b < 3; ++b)
      if (m[a][b] != (a == b ? 1.0 : 0.0)) return false;
  return true;
}

}  // namespace

PatchGeometry patch_geometry(const char* who, Int3 size, const PatchPose& pose, Int3 patch, const ResampleOptions& options) {
  check(patch.d >= 1 && patch.h >= 1 && patch.w >= 1, who, ": a patch of ", patch, " voxels");
  check(options.outside_label >= 0 && options.outside_label <= 255, who, ": outside_label ", options.outside_label, " is not a u8 label");
  PatchGeometry g;
  ResampleProblem& p = g.problem;
  g.window.reversed = pose.mirror;
  g.whole = is_identity(pose.matrix);
  for (int a = 0; a < 3; ++a) {
    p.size[a] = size[a];
    p.patch[a] = patch[a];
    p.origin[a] = pose.centre[a];
    double reach = std::abs(pose.centre[a]);
    for (int b = 0; b < 3; ++b) {
      p.step[b][a] = pose.mirror[b] ? -pose.matrix[a][b] : pose.matrix[a][b];
      p.origin[a] -= p.step[b][a] * (patch[b] - 1) / 2.0;
      reach += std::abs(pose.matrix[a][b]) * patch[b];
    }
    check(reach < kFarthest, who, ": the pose reaches ", reach, " voxels out on axis ", a);
    const double start = pose.centre[a] - (patch[a] - 1) / 2.0;
    g.whole = g.whole && std::abs(start - std::round(start)) < kWholeVoxel;
    g.window.start[a] = std::llround(start);
    g.window.size[a] = size[a];
    g.window.extent[a] = patch[a];
  }
  p.edge = options.border == Border::edge;
  p.nearest = options.label == LabelSampling::nearest;
  p.outside = uint8_t(options.outside_label);
  return held_in(g, {{0, 0, 0}, size});
}

PatchGeometry held_in(PatchGeometry g, const VoxelBox& box) {
  for (int a = 0; a < 3; ++a) {
    g.problem.begin[a] = g.window.begin[a] = box.begin[a];
    g.problem.held[a] = g.window.held[a] = box.size[a];
  }
  return g;
}

VoxelBox reach_of(const PatchGeometry& g) {
  const ResampleProblem& p = g.problem;
  VoxelBox out;
  for (int a = 0; a < 3; ++a) {
    double low = g.whole ? std::round(p.origin[a]) : p.origin[a], high = low;
    for (int k = 0; k < 3; ++k) {
      const double far = p.step[k][a] * double(p.patch[k] - 1);
      low += std::min(0.0, far), high += std::max(0.0, far);
    }
    const auto inside = [&](double v) { return int(std::clamp(v, 0.0, double(p.size[a] - 1))); };
    out.begin[a] = inside(std::floor(low) - 1);
    out.size[a] = inside(std::floor(high) + 2) - out.begin[a] + 1;
  }
  return out;
}

void check_reach(const char* who, const Sample& volume, const PatchGeometry& g) {
  const VoxelBox there = volume.box(), wanted = reach_of(g);
  bool inside = true;
  for (int a = 0; a < 3; ++a)
    inside = inside && there.begin[a] <= wanted.begin[a] && wanted.begin[a] + wanted.size[a] <= there.begin[a] + there.size[a];
  check(inside, who, ": of the volume there are ", there.size, " voxels at ", there.begin, ", the patch reaches into ", wanted.size, " at ",
        wanted.begin);
}

std::vector<ResamplePass> resample_passes(const std::vector<Field>& fields) {
  std::vector<ResamplePass> passes;
  int labels = 0;
  for (size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].kind == DataKind::image || fields[i].kind == DataKind::vectors) passes.push_back({.image = int(i)});
    if (fields[i].kind != DataKind::labels) continue;
    if (labels++ == 0) passes[0].labels = int(i);
    else passes.push_back({.labels = int(i)});
  }
  return passes;
}

namespace {

void resample(const PatchGeometry& g) {
  const ResampleProblem& p = g.problem;
  if (g.whole) {
    if (p.image) copy_window(g.window, p.image, p.out_image, p.channels, p.edge);
    if (p.label) copy_window(g.window, p.label, p.out_label, p.outside);
    return;
  }
  const auto rows = VOXGRAD_BY_ISA(voxgrad, resample_rows);
  parallel_ranges(p.patch[0] * p.patch[1], 32, [&](int64_t begin, int64_t end) { rows(p, begin, end); });
}

// Field `f` of a patch, its dense kinds yet to be filled.
Field patch_field(const Field& f, const PatchMap& map, Int3 patch) {
  if (!is_dense(f.kind)) return {f.name, f.kind, moved(f, map, patch)};
  Shape s = f.data.shape();
  for (int a = 0; a < 3; ++a) s[a] = patch[a];
  return {f.name, f.kind, Tensor::empty(s, f.data.dtype())};
}

}  // namespace

Sample extract_patch(const Sample& volume, const PatchPose& pose, Int3 patch, const ResampleOptions& options) {
  check_sample("extract_patch", volume);
  const PatchGeometry geometry = held_in(patch_geometry("extract_patch", volume.size(), pose, patch, options), volume.box());
  check_reach("extract_patch", volume, geometry);
  const PatchMap map = patch_map("extract_patch", geometry);
  Sample out;
  for (const Field& f : volume.fields) out.fields.push_back(patch_field(f, map, patch));
  for (const ResamplePass& pass : resample_passes(volume.fields)) {
    PatchGeometry g = geometry;
    ResampleProblem& p = g.problem;
    p.channels = 0;
    if (pass.image >= 0) {
      p.image = volume.fields[size_t(pass.image)].data.view().as<float>();
      p.out_image = out.fields[size_t(pass.image)].data.view().as<float>();
      p.channels = out.fields[size_t(pass.image)].data.dim(3);
    }
    if (pass.labels >= 0) {
      p.label = volume.fields[size_t(pass.labels)].data.view().as<uint8_t>();
      p.out_label = out.fields[size_t(pass.labels)].data.view().as<uint8_t>();
    }
    resample(g);
  }
  for (const Field& f : out.fields)
    if (f.kind == DataKind::vectors) turn_vectors(f.data, map);
  return out;
}

}  // namespace voxgrad
