#pragma once
#include "kernels/projection/projection_kernels.h"

namespace voxgrad {

// Rays that are followed side by side.
constexpr int64_t kRayLanes = 16;
// Numbers behind packed images and projections that may be read, of no meaning.
constexpr int64_t kRayReach = 32;

// One image packed for rays of one major axis: {planes, depth, width}, of a cone beam {planes, depth + 3, width}, width being the minor
// extent + 3. One border of zeros lies before the voxels and two behind them, so that places clamped to [-1, extent] read zeros.

#define VOXGRAD_PROJECTION_VARIANT(isa)                                                                                              \
  namespace isa {                                                                                                                    \
  /* y {rows, views, columns}: the projections of one view are written. sums {rows, kRayLanes} is for it to use. */                   \
  void project_view(const ProjectionRays<float>&, const float* const packed[2], int64_t view, float* sums, float* y);                \
  void project_view(const ProjectionRays<double>&, const double* const packed[2], int64_t view, double* sums, double* y);            \
  /* two copies of a packed plane j of a major axis, zero before, get the shares of rays along that axis: their sum is the adjoint */  \
  void spread_plane(const ProjectionRays<float>&, int axis, int64_t j, const float* y, float* plane);                                \
  void spread_plane(const ProjectionRays<double>&, int axis, int64_t j, const double* y, double* plane);                             \
  /* x: a row (d, h, all w) of one image in one channel. y {rows, views, columns + 3}, of cones {rows + 3, ..}, with borders of zeros */ \
  void backproject_row(const Backprojection&, const double* cosines, int64_t d, int64_t h, const float* y, float* x);                \
  void backproject_row(const Backprojection&, const double* cosines, int64_t d, int64_t h, const double* y, double* x);              \
  }
VOXGRAD_PROJECTION_VARIANT(projection_kernels::baseline)
VOXGRAD_PROJECTION_VARIANT(projection_kernels::avx2)
VOXGRAD_PROJECTION_VARIANT(projection_kernels::avx512)
#undef VOXGRAD_PROJECTION_VARIANT

}  // namespace voxgrad
