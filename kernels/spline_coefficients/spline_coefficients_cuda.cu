#include "core/cuda/launch.h"
#include "kernels/spline_coefficients/spline_coefficients_kernels.h"

namespace voxgrad {
namespace {

// A thread per line.
template <class T>
__global__ void spline_coefficients_kernel(ReduceRuns p, const T* x, T* y) {
  using R = SplineRecursion<T>;
  const int64_t n = p.reduced;
  for (int64_t k : grid_stride(p.outer * p.inner)) {
    const int64_t o = k / p.inner, j = k % p.inner;
    const T* const from = x + o * n * p.inner + j;
    T* const to = y + (o * (n + 2 * kSplineRim) + kSplineRim) * p.inner + j;
    const T at_rest = R::rest * from[0], end = R::rest * from[(n - 1) * p.inner];
    T sum = at_rest;
    for (int64_t i = 0; i < n; ++i) to[i * p.inner] = sum = R::gain * from[i * p.inner] + R::pole * sum;
    const T steady = R::back * end, e = R::deviation * (sum - end);
    to[(n + 1) * p.inner] = steady + R::pole * R::pole * e;
    to[n * p.inner] = steady + R::pole * e;
    to[(n - 1) * p.inner] = sum = steady + e;
    for (int64_t i = n - 2; i >= 0; --i) to[i * p.inner] = sum = R::pole * (sum - to[i * p.inner]);
    for (int64_t i = -1; i >= -kSplineRim; --i) to[i * p.inner] = sum = R::pole * (sum - at_rest);
  }
}

}  // namespace

void spline_filter(Cuda on, const ReduceRuns& p, View x, View y) {
  const auto run = [&]<class T>(T* to) {
    launch<spline_coefficients_kernel<T>>(on, grid_over(p.outer * p.inner), p, static_cast<const T*>(x.as<T>()), to);
  };
  x.dtype == DType::f64 ? run(y.as<double>()) : run(y.as<float>());
}

}  // namespace voxgrad
