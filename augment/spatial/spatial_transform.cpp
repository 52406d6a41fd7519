#include <algorithm>
#include <cmath>
#include <numbers>

#include "augment/spatial/spatial.h"
#include "augment/transform.h"

namespace voxgrad {

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

namespace {

void add_keys(ConfigTable& t, SpatialOptions& o) {
  t.number("rotation", o.rotation_probability, 0, 1, "probability of a random rotation");
  t.number("rotation_degrees", o.rotation_degrees[0], 0, 180, "largest angle about each axis (of flat patches see rotation_in_plane)");
  t.number("rotation_in_plane", o.rotation_in_plane, 0, 180, "largest angle of flat patches, within slices; 0: nnU-Net's rule, 180 or 15");
  t.number("scaling", o.scaling_probability, 0, 1, "probability of a random scaling");
  t.number("scale_low", o.scale_low, 0.1, 1, "smallest factor of the scaling");
  t.number("scale_high", o.scale_high, 1, 10, "largest factor of the scaling");
}

void turn(const SpatialOptions& options, const PatchFacts& facts, Rng rng, PatchPose& pose) {
  SpatialOptions o = options;
  const double degrees = o.rotation_degrees[0];
  o.slice_axis = facts.slice_axis;
  o.spacing = facts.spacing;
  o.rotation_degrees = o.slice_axis >= 0 ? spatial_options_for(facts.size).rotation_degrees : Double3{degrees, degrees, degrees};
  if (o.slice_axis >= 0 && o.rotation_in_plane > 0) o.rotation_degrees[size_t(o.slice_axis)] = o.rotation_in_plane;
  pose.matrix = product(pose.matrix, random_pose(pose.centre, o, rng).matrix);
}

}  // namespace

TransformEntry spatial_transform() {
  return SpaceTransform<SpatialOptions>{
      .name = "spatial", .summary = "rotates and scales about the middle of the patch", .keys = add_keys, .pose = turn, .stream = 0};
}

}  // namespace voxgrad
