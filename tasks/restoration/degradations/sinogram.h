#pragma once
#include "kernels/projection/projection.h"

// Within degradations: slices along D of an image seen by parallel rays.
namespace voxgrad {

// What a voxel of the value 1 absorbs of a ray that crosses it: water at 70 keV, voxels of 1 mm.
inline constexpr double kAbsorption = 0.02;

struct Sinogram {
  ProjectionGeometry geometry;
  Tensor lines;  // f32 {1, D, views, columns, C}: integrals in voxels, what is negative counting as 0
};
// views 0: as many as resolve the voxels. start: the first angle.
Sinogram sinogram_of(const Tensor& image, int64_t views = 0, double start = 0);
// The image {D, H, W, C} of line integrals, by filtered back-projection.
Tensor back_projected(const Tensor& lines, const ProjectionGeometry&);
// What an image becomes where `measured` is seen in place of s.lines: only the difference passes through filtered back-projection, so that
// its own blur does not.
Tensor with_measured(const Tensor& image, const Sinogram& s, const Tensor& measured);

}  // namespace voxgrad
