#pragma once
#include <cstdint>

#include "core/device/execution.h"
#include "core/view.h"

namespace voxgrad {

// Rays and what they cross, in voxels. The major axis of a ray is H (0) or W (1), the minor one the other. In plane j of the major axis the
// ray is at a + b j along the minor one and, of a cone beam, at depth_centre + height (p + q j) along D, where
// height = (r - row_centre) row_step of detector row r.
// Rays are indexed [view][column]. A segment is a run of neighbouring columns of a view with one major axis, whose places along the minor
// one grow (sign 1) or shrink (-1) with the column in every plane: {axis, view, first column, count, sign}, in the order of views.
template <class T>
struct ProjectionRays {
  int64_t images = 1, channels = 1;  // N, C
  int64_t depth = 1, extent[2] = {1, 1};
  int64_t width[2] = {4, 4}, plane[2] = {4, 4};  // of an image packed for rays along H or W: of a row, of a plane (projection_variants.h)
  int64_t views = 1, rows = 1, columns = 1;
  bool cone = false;
  T step[2], depth_step;  // mm between planes of H, W; of D
  T row_centre, row_step, depth_centre;
  const T *a, *b, *p, *q;
  const int32_t *segments, *axes, *firsts;
  int64_t segment_count;

  VOXGRAD_HD int64_t image_count() const { return images * depth * extent[0] * extent[1] * channels; }
  VOXGRAD_HD int64_t projection_count() const { return images * rows * views * columns * channels; }
};

// y {N, rows, views, columns, C} = line integrals of x {N, D, H, W, C}
void project_rays(Cpu, const ProjectionRays<float>&, const float* x, float* y);
void project_rays(Cpu, const ProjectionRays<double>&, const double* x, double* y);
void project_rays(Cuda, const ProjectionRays<float>&, const float* x, float* y);
void project_rays(Cuda, const ProjectionRays<double>&, const double* x, double* y);
// x = the adjoint of that
void spread_rays(Cpu, const ProjectionRays<float>&, const float* y, float* x);
void spread_rays(Cpu, const ProjectionRays<double>&, const double* y, double* x);
void spread_rays(Cuda, const ProjectionRays<float>&, const float* y, float* x);
void spread_rays(Cuda, const ProjectionRays<double>&, const double* y, double* x);

// A voxel (d, h, w) lies at x = (w - centre[2]) voxel[2] and so on. In the view of angle t: u = x cos t + y sin t, s = -x sin t + y cos t,
// U = 1 + s / source (1 without source), column = u / U column_scale + column_centre, row = z / U row_scale + row_centre (or d).
struct Backprojection {
  int64_t images = 1, channels = 1, extent[3] = {1, 1, 1}, views = 1, rows = 1, columns = 1;
  bool cone = false;
  double centre[3], voxel[3], source = 0;  // mm; 0: parallel
  double column_scale, column_centre, row_scale, row_centre, scale;
};
// cosines: of each angle its cosine and its sine, f64 in the device's memory
void backproject_views(Cpu, const Backprojection&, const double* cosines, View projections, View x);
void backproject_views(Cuda, const Backprojection&, const double* cosines, View projections, View x);

}  // namespace voxgrad
