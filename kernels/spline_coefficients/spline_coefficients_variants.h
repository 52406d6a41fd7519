#pragma once
#include <cstdint>

namespace voxgrad {

constexpr int64_t kSplineLanes = 32;

// c {n + 2 kSplineRim, kSplineLanes}: samples in the rows from kSplineRim on become coefficients in all rows.
#define VOXGRAD_SPLINE_VARIANT(isa)            \
  namespace isa {                              \
  void spline_lines(float* c, int64_t n);      \
  void spline_lines(double* c, int64_t n);     \
  }
VOXGRAD_SPLINE_VARIANT(spline_kernels::baseline)
VOXGRAD_SPLINE_VARIANT(spline_kernels::avx2)
VOXGRAD_SPLINE_VARIANT(spline_kernels::avx512)
#undef VOXGRAD_SPLINE_VARIANT

}  // namespace voxgrad
