#pragma once
#include "core/device/execution.h"
#include "core/view.h"
#include "kernels/reduce/reduce_kernels.h"

namespace voxgrad {

constexpr int kSplineRim = 2;

// The sums p[i] = 6 x[i] + z p[i - 1] and then the coefficients c[i] = z (c[i + 1] - p[i]), with the pole z = sqrt(3) - 2. Before the
// first sample p is at rest, `rest` times that sample; behind the last, p[n - 1 + k] = s + e z^k with s `rest` times the last sample and
// e = p[n - 1] - s, so that c[n - 1 + k] = back s + deviation e z^k.
template <class T>
struct SplineRecursion {
  static constexpr double z = -0.26794919243112270647;
  static constexpr T pole = T(z), gain = T(6), rest = T(6 / (1 - z)), back = T(-z / (1 - z)), deviation = T(-z / (1 - z * z));
};

// x is {outer, n, inner} by ReduceRuns, y {outer, n + 2 kSplineRim, inner}; f32 or f64.
void spline_filter(Cpu, const ReduceRuns&, View x, View y);
void spline_filter(Cuda, const ReduceRuns&, View x, View y);

}  // namespace voxgrad
