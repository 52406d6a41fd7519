#include "kernels/spline_coefficients/spline_coefficients.h"

#include "core/autograd.h"
#include "kernels/copy/copy.h"
#include "kernels/spline_coefficients/spline_coefficients_kernels.h"

namespace voxgrad {

Tensor spline_coefficients(const Tensor& x, int axis) {
  check(x && (x.dtype() == DType::f32 || x.dtype() == DType::f64), "spline_coefficients: a tensor f32 or f64 is wanted, not ", x);
  Shape s = x.shape();
  const int k = axis_of("spline_coefficients", s, axis);
  check(s[k] > 0, "spline_coefficients: there is no element along axis ", axis, " of ", x);
  const ReduceRuns runs = {s.count(0, k), s[k], s.count(k + 1, s.rank)};
  s[k] += 2 * kSplineRim;
  Tensor y = Tensor::empty(s, x.dtype(), x.device());
  on_device(x.device(), [&](auto on) { spline_filter(on, runs, x.view(), y.view()); });
  return y;
}

}  // namespace voxgrad
