#pragma once
#include "core/tensor.h"
#include "kernels/projection/projection_geometry.h"

namespace voxgrad {

// Line integrals of images along the rays of a geometry, and the adjoint of that map, by Joseph's method (Joseph 1982, IEEE TMI 1:192):
// along the one of the axes H and W that a ray runs along more, it meets every plane of voxels once; there the image is interpolated
// linearly between the neighbours (2, of a cone beam 4) and weighted with the length of the ray between planes, in mm. Outside of the
// volume it is 0. The object holds the tables of rays for one dtype, f32 or f64, and device; copies share them. Error for a geometry
// without angles or columns, or with a source within the volume.
class Projector {
 public:
  explicit Projector(ProjectionGeometry, DType = DType::f32, Device = {});
  const ProjectionGeometry& geometry() const { return geometry_; }

  // images {N, D, H, W, C} to projections {N, rows, views, columns, C}, in units of the image times mm. Saves nothing.
  Tensor operator()(const Tensor& images) const;
  // projections to images: <A x, y> = <x, adjoint(y)>. Saves nothing.
  Tensor adjoint(const Tensor& projections) const;

 private:
  friend struct ProjectorParts;
  ProjectionGeometry geometry_;
  Tensor rays_;      // {4, views, columns}
  Tensor segments_;  // i32 {segments, 5}
  Tensor axes_;      // i32 {views, columns}
  Tensor firsts_;    // i32 {views + 1}
};

// The sum over all views of projections {N, rows, views, columns, C} interpolated linearly where each voxel is seen (0 beyond the
// detector's ends), times `scale`; for fan and cone beams each times 1 / U^2, U being the distance of the voxel's plane from the source in
// units of that of the axis (Feldkamp, Davis and Kress 1984): the last step of filtered back-projection, and not the adjoint of a
// projection. Not differentiable.
Tensor backproject(const Tensor& projections, const ProjectionGeometry&, double scale = 1);

}  // namespace voxgrad
