#include "augment/spatial.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "augment/patch_geometry.h"
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

PatchGeometry patch_geometry(const char* who, const Tensor& image, const PatchPose& pose, Int3 patch, const ResampleOptions& options) {
  check(patch.d >= 1 && patch.h >= 1 && patch.w >= 1, who, ": a patch of ", patch, " voxels");
  check(options.outside_label >= 0 && options.outside_label <= 255, who, ": outside_label ", options.outside_label, " is not a u8 label");
  const Int3 size = volume_size(image);
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
  return g;
}

std::vector<ResamplePass> resample_passes(const std::vector<Field>& fields) {
  std::vector<ResamplePass> passes;
  int labels = 0;
  for (size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].kind == DataKind::image) passes.push_back({.image = int(i)});
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
  const auto rows = isa() >= Isa::avx512 ? avx512::resample_rows : isa() >= Isa::avx2 ? avx2::resample_rows : baseline::resample_rows;
  parallel_ranges(p.patch[0] * p.patch[1], 32, [&](int64_t begin, int64_t end) { rows(p, begin, end); });
}

}  // namespace

Sample extract_patch(const Sample& volume, const PatchPose& pose, Int3 patch, const ResampleOptions& options) {
  check_sample("extract_patch", volume);
  const PatchGeometry geometry = patch_geometry("extract_patch", volume.image(), pose, patch, options);
  Sample out;
  for (const Field& f : volume.fields) {
    check(f.kind == DataKind::image || f.kind == DataKind::labels, "extract_patch: the field \"", f.name, "\" is of kind ", name_of(f.kind),
          ", images and labels can be cut");
    Shape s = f.data.shape();
    for (int a = 0; a < 3; ++a) s[a] = patch[a];
    out.fields.push_back({f.name, f.kind, Tensor::empty(s, f.data.dtype())});
  }
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
  return out;
}

SpatialOptions spatial_options_for(Int3 patch, const Double3& spacing) {
  SpatialOptions o;
  o.spacing = spacing;
  int thin = 0, wide = 0;
  for (int a = 1; a < 3; ++a) {
    if (patch[a] < patch[thin]) thin = a;
    if (patch[a] > patch[wide]) wide = a;
  }
  if (patch[wide] <= 3 * patch[thin]) return o;
  o.slice_axis = thin;
  const double one = patch[(thin + 1) % 3], other = patch[(thin + 2) % 3];
  const bool oblong_slice = patch[thin] == 1 && std::max(one, other) > 1.5 * std::min(one, other);
  o.rotation_degrees = {0, 0, 0};
  o.rotation_degrees[thin] = oblong_slice ? 15 : 180;
  return o;
}

PatchPose random_pose(const Double3& centre, const SpatialOptions& o, Rng rng) {
  PatchPose pose{.centre = centre};
  const bool rotates = rng.coin(o.rotation_probability), scales = rng.coin(o.scaling_probability);
  for (int axis = 0; rotates && axis < 3; ++axis) {
    const double degrees = rng.uniform(-o.rotation_degrees[axis], o.rotation_degrees[axis]);
    if (o.slice_axis >= 0 && axis != o.slice_axis) continue;
    const double s = std::sin(degrees * std::numbers::pi / 180), c = std::cos(degrees * std::numbers::pi / 180);
    const int a = (axis + 1) % 3, b = (axis + 2) % 3;
    Matrix3 product = pose.matrix;
    for (int k = 0; k < 3; ++k) {
      product[a][k] = c * pose.matrix[a][k] - s * pose.matrix[b][k];
      product[b][k] = s * pose.matrix[a][k] + c * pose.matrix[b][k];
    }
    pose.matrix = product;
  }
  if (rotates)  // to voxels of the output, rigid in space, from voxels of the volume
    for (int a = 0; a < 3; ++a)
      for (int b = 0; b < 3; ++b) pose.matrix[a][b] *= o.spacing[b] / o.spacing[a];
  double factor = 1;
  for (int b = 0; scales && b < 3; ++b) {
    if (b == 0 || !o.same_scale_on_all_axes) factor = rng.uniform(o.scale_low, o.scale_high);
    if (b == o.slice_axis) continue;
    for (int a = 0; a < 3; ++a) pose.matrix[a][b] *= factor;
  }
  return pose;
}

Bool3 random_mirror(const MirrorOptions& o, Rng rng) {
  Bool3 axes;
  for (int a = 0; a < 3; ++a) axes[a] = rng.coin(o.probability) && o.axes[a];
  return axes;
}

Sample mirror(const Sample& sample, const Bool3& axes) {
  check_sample("mirror", sample);
  if (!axes[0] && !axes[1] && !axes[2]) return sample;
  const Int3 size = volume_size(sample.image());
  return extract_patch(sample, {.centre = {(size.d - 1) / 2.0, (size.h - 1) / 2.0, (size.w - 1) / 2.0}, .mirror = axes}, size);
}

}  // namespace voxgrad
