#pragma once
#include "core/tensor.h"

namespace voxgrad {

// Coefficients of the cubic B-spline through the values of a tensor f32 or f64 along one axis (negative ones count from the end), which go
// on beyond the border as they end (Unser 1999, "Splines: a perfect fit"; SciPy's spline_filter1d with mode "nearest"). The axis of extent
// n gets n + 4: with two coefficients before the first sample and two behind the last, which samples at [-1/2, n - 1/2] reach.
// With b(t) the cubic B-spline, the value at t is sum_k c[k + 2] b(t - k). Not differentiable.
Tensor spline_coefficients(const Tensor& x, int axis);

}  // namespace voxgrad
