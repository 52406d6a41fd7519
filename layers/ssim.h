#pragma once
#include "core/tensor.h"

namespace voxgrad {

struct SsimOptions {
  double range = 1;  // L, the range of values
  int window = 7;    // odd
};

// The structural similarity of two images f32 or f64 {N, D, H, W, C} (Wang et al. 2004), slice by slice: the mean over all windows that lie
// in a slice of (2 mx my + c1) (2 sxy + c2) / ((mx^2 + my^2 + c1) (sx^2 + sy^2 + c2)), c1 = (0.01 L)^2, c2 = (0.03 L)^2, means m and
// covariances s (over n - 1) of square windows with equal weights. That is scikit-image's structural_similarity as it is by default and
// fastMRI's loss. A scalar, differentiable. Error where a slice is smaller than the window.
Tensor ssim(const Tensor& x, const Tensor& y, const SsimOptions& = {});

}  // namespace voxgrad
