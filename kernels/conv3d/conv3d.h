#pragma once
#include "core/tensor.h"
#include "kernels/norm/norm.h"

namespace voxgrad {

// Statistics of a convolution's y for the norm with this eps that reads it, an instance norm, with groups that group norm, or of_batch a
// batch norm in training: `stats`, as the norm saves them (kernels/norm), where they are taken as y is written, which then need not be read
// for them (on CUDA, by the kernels on the tensor cores); else absent. With those of a batch norm its running ones are moved.
struct ConvStatistics {
  double eps = 1e-5;
  Tensor stats = {};
  int groups = 0;
  bool of_batch = false;
  RunningStatistics running = {};
  double momentum = 0.1;
};

struct Conv3dOptions {
  Int3 stride{1, 1, 1}, padding{0, 0, 0}, dilation{1, 1, 1};
  int groups = 1;
};

// y[n, o, k] = b[k] + sum over taps t and channels c of its group of x[n, o * stride - padding + t * dilation, c] w[k, t, c]; x is zero
// outside its volume (a cross-correlation, as in every framework).
// x {N, D, H, W, C}, w {K, T, R, S, C / groups}, b {K} or absent -> y {N, Z, P, Q, K}. Group g reads the channels [g, g + 1) C / groups of
// x and makes the channels [g, g + 1) K / groups of y. w, b and their gradients are f32, or f64 beside f64 activations.
// Z = (D + 2 padding - dilation (T - 1) - 1) / stride + 1, rounded down. Saves x where w wants a gradient, w where x does.
Tensor conv3d(const Tensor& x, const Tensor& w, const Tensor& b = {}, const Conv3dOptions& = {},
              ConvStatistics* of_y = nullptr);

}  // namespace voxgrad
