#pragma once
#include "core/tensor.h"

namespace voxgrad {

struct ConvTranspose3dOptions {
  Int3 stride{1, 1, 1}, padding{0, 0, 0}, output_padding{0, 0, 0}, dilation{1, 1, 1};
  int groups = 1;
};

// The adjoint in x of the convolution with the same weight, stride, padding, dilation and groups, plus a bias:
// y[n, i, k] = b[k] + sum over o, taps t with i = o * stride - padding + t * dilation, and channels c of x[n, o, c] w[c, t, k].
// x {N, D, H, W, C}, w {C, T, R, S, K / groups}, b {K} or absent -> y {N, .., K}, extents
// (D - 1) stride - 2 padding + dilation (T - 1) + output_padding + 1. Saves x where w wants a gradient, w where x does.
Tensor conv_transpose3d(const Tensor& x, const Tensor& w, const Tensor& b = {}, const ConvTranspose3dOptions& = {});

}  // namespace voxgrad
