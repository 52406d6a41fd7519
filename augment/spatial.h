#pragma once
#include "augment/sample.h"
#include "core/rng.h"

namespace voxgrad {

using Matrix3 = std::array<Double3, 3>;

// How a patch lies in its volume: output voxel i takes the value at centre + matrix (m(i) - (patch - 1) / 2), in voxels of the volume
// (the centre of voxel 0 is at 0), where m(i) = patch - 1 - i on mirrored axes and i on the others. Factors above 1 show more of the
// volume, so objects get smaller.
struct PatchPose {
  Double3 centre = {0, 0, 0};
  Matrix3 matrix = {{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
  Bool3 mirror = {false, false, false};
};

enum class Border {
  zeros,  // taps outside the volume count as 0 (nnU-Net; after z-scoring that is the mean)
  edge    // the nearest voxel of the volume
};
enum class LabelSampling {
  linear,  // each label is a 0/1 image, interpolated as the image is; the largest wins, the lower label on a tie
  nearest
};

struct ResampleOptions {
  Border border = Border::zeros;
  LabelSampling label = LabelSampling::linear;
  int outside_label = 0;  // the label of everything outside the volume, whatever the border; 255 for losses that ignore 255
};

// Cuts {patch, C} out of the volume in one resampling: trilinear for the image, LabelSampling for the label. A pose without rotation,
// scaling and fractions of a voxel copies values exactly. The patch may be larger than the volume or lie outside it.
Sample extract_patch(const Sample& volume, const PatchPose&, Int3 patch, const ResampleOptions& = {});

// Random rotation and scaling about the patch centre, as nnU-Net trains with (Isensee et al. 2021; batchgeneratorsv2,
// SpatialTransform). Elastic deformation is off there and absent here. Translation comes from the random centre.
struct SpatialOptions {
  double rotation_probability = 0.2;
  Double3 rotation_degrees = {30, 30, 30};  // the angle about axis a is uniform in +-rotation_degrees[a]
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

// Mirrors about the patch centre: fused into PatchPose::mirror by augmented_patch, or applied by mirror().
struct MirrorOptions {
  double probability = 0.5;         // per axis, independently
  Bool3 axes = {true, true, true};  // axes that may be mirrored; switch off where left and right have different labels
};
Bool3 random_mirror(const MirrorOptions&, Rng);
// Reverses the axes that are true; returns the sample itself where none is.
Sample mirror(const Sample&, const Bool3& axes);

}  // namespace voxgrad
