#pragma once
#include "io/volume.h"
#include "kernels/projection/projection.h"

// Within degradations: slices along D of an image seen by parallel rays.
namespace voxgrad {

// What 1 mm of the value 1 absorbs of a ray: water at 70 keV.
inline constexpr double kAbsorption = 0.02;

struct Sinogram {
  ProjectionGeometry geometry;
  Tensor lines;  // f32 {1, D, views, columns, C}: integrals in mm, what is negative counting as 0
};
// Of voxels of that many mm along D, H and W; columns of the detector lie as far apart as the closer ones of H and W. views 0: as many as
// resolve the voxels. start: the first angle.
Sinogram sinogram_of(const Tensor& image, const Vec3& spacing, int64_t views = 0, double start = 0);
// The image {D, H, W, C} of line integrals, by filtered back-projection.
Tensor back_projected(const Tensor& lines, const ProjectionGeometry&);
// What an image becomes where `measured` is seen in place of s.lines: only the difference passes through filtered back-projection, so that
// its own blur does not.
Tensor with_measured(const Tensor& image, const Sinogram& s, const Tensor& measured);

}  // namespace voxgrad
