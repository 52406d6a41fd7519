#pragma once
#include "core/tensor.h"

namespace voxgrad {

struct SsimOptions {
  double range = 1;     // L, the range of values
  int window = 7;       // odd
  bool volume = false;  // windows are cubes instead of squares in a slice
};

// The structural similarity of two images f32 or f64 {N, D, H, W, C} (Wang et al. 2004), slice by slice: the mean over all windows that lie
// in a slice of (2 mx my + c1) (2 sxy + c2) / ((mx^2 + my^2 + c1) (sx^2 + sy^2 + c2)), c1 = (0.01 L)^2, c2 = (0.03 L)^2, means m and
// covariances s (over n - 1) of square windows with equal weights. That is scikit-image's structural_similarity as it is by default, of
// slices or of volumes, and fastMRI's loss. A scalar, differentiable. Error where a slice (or the volume) is smaller than the window.
Tensor ssim(const Tensor& x, const Tensor& y, const SsimOptions& = {});

struct MultiScaleSsimOptions {
  double range = 1;
  int window = 11;      // odd
  double sigma = 1.5;   // voxels: of the Gaussian weights of a window
  bool volume = false;
};

// The product over scales j of cs_j^w_j, at the last scale of ssim_j^w_j (Wang, Simoncelli and Bovik 2003), for each slice or volume and
// channel, and the mean of these: cs is the mean over windows of (2 sxy + c2) / (sx^2 + sy^2 + c2), ssim that of the whole formula above,
// both with Gaussian weights and covariances over n; from scale to scale images are means of 2 x 2 (x 2) voxels; w = 0.0448, 0.2856,
// 0.3001, 0.2363, 0.1333. That is MONAI's MultiScaleSSIMMetric where all five scales hold a window, which takes 176 voxels. Of smaller
// images there are as many scales as hold one, with weights divided by their sum. A mean that is not positive counts as 1e-12.
// Differentiable. Error as of ssim.
Tensor multi_scale_ssim(const Tensor& x, const Tensor& y, const MultiScaleSsimOptions& = {});

}  // namespace voxgrad
