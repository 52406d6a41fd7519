#pragma once
#include "augment/pose.h"
#include "core/rng.h"

namespace voxgrad {

// Random rotation and scaling about the patch centre, as nnU-Net trains with (Isensee et al. 2021; batchgeneratorsv2,
// SpatialTransform). Elastic deformation is off there and absent here. Translation comes from the random centre.
struct SpatialOptions {
  double rotation_probability = 0.2;
  Double3 rotation_degrees = {30, 30, 30};  // the angle about axis a is uniform in +-rotation_degrees[a]
  double rotation_in_plane = 0;  // of the transform: of flat patches, in place of nnU-Net's rule; 0: by that rule
  double scaling_probability = 0.2;
  double scale_low = 0.7, scale_high = 1.4;  // uniform
  bool same_scale_on_all_axes = true;
  // Axis across slices of a patch that is so flat that only rotations and scalings within slices make sense; -1: none.
  int slice_axis = -1;
  // Distance between voxels per axis, in any unit: rotations are rigid in space, also where voxels are not cubes. {1, 1, 1} rotates
  // in voxel space, as nnU-Net does.
  Double3 spacing = {1, 1, 1};
};

// nnU-Net's rules for a patch size. A patch whose largest extent is above 3 times its smallest: slices, rotated by +-180 degrees
// within their plane (+-15 degrees for a single slice with sides in a ratio above 1.5). Else +-30 degrees about each axis.
SpatialOptions spatial_options_for(Int3 patch, const Double3& spacing = {1, 1, 1});

// With probability 0 for both, the identity about `centre`.
PatchPose random_pose(const Double3& centre, const SpatialOptions&, Rng);

}  // namespace voxgrad
