#include "kernels/spline_coefficients/spline_coefficients_kernels.h"
#include "kernels/spline_coefficients/spline_coefficients_variants.h"

namespace voxgrad::spline_kernels::VOXGRAD_ISA_NAMESPACE {
namespace {

template <class T>
void filter(T* c, int64_t n) {
  using R = SplineRecursion<T>;
  constexpr int64_t L = kSplineLanes;
  T *const first = c + kSplineRim * L, *const last = first + (n - 1) * L;
  T at_rest[L], sum[L], end[L];
  for (int64_t l = 0; l < L; ++l) at_rest[l] = sum[l] = R::rest * first[l];
  for (int64_t l = 0; l < L; ++l) end[l] = R::rest * last[l];
  for (T* row = first; row <= last; row += L)
    for (int64_t l = 0; l < L; ++l) row[l] = sum[l] = R::gain * row[l] + R::pole * sum[l];
  T* const rim = last + L;
  for (int64_t l = 0; l < L; ++l) {
    const T steady = R::back * end[l], e = R::deviation * (sum[l] - end[l]);
    rim[L + l] = steady + R::pole * R::pole * e;
    rim[l] = steady + R::pole * e;
    last[l] = sum[l] = steady + e;
  }
  for (T* row = last - L; row >= first; row -= L)
    for (int64_t l = 0; l < L; ++l) row[l] = sum[l] = R::pole * (sum[l] - row[l]);
  for (T* row = first - L; row >= c; row -= L)
    for (int64_t l = 0; l < L; ++l) row[l] = sum[l] = R::pole * (sum[l] - at_rest[l]);
}

}  // namespace

void spline_lines(float* c, int64_t n) { filter(c, n); }
void spline_lines(double* c, int64_t n) { filter(c, n); }

}  // namespace voxgrad::spline_kernels::VOXGRAD_ISA_NAMESPACE
