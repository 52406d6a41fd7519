#pragma once
#include <vector>

#include "core/tensor.h"

namespace voxgrad {

// What PSNR and SSIM take for the range of values.
enum class ScoreRange {
  span,    // largest - least of the reference: for images that may be negative, as CT
  largest  // largest of the reference: fastMRI
};

// How near an image x is to its reference y. L is the range.
//   psnr      20 log10(L / root mean square difference), in dB; infinite where they are equal
//   ssim      layers/ssim.h: windows of 7 x 7 in slices, the mean over slices
//   ssim_3d   the same of windows of 7 x 7 x 7
//   ms_ssim   multi_scale_ssim of slices, the mean over slices
//   nmse      |x - y|^2 / |y|^2 (fastmri/evaluate.py)
//   nrmse     its root: scikit-image's normalized_root_mse as it is by default
//   hfen      |LoG(x) - LoG(y)| / |LoG(y)|, the high-frequency error norm (Ravishankar and Bresler 2011), LoG being a Laplacian of a
//             Gaussian of 15 x 15 pixels with a standard deviation of 1.5 in slices, zeros around (MATLAB's fspecial)
// NaN: not defined, as SSIM of slices smaller than its window, or not asked for.
struct ImageScores {
  double psnr = 0, ssim = 0, ssim_3d = 0, ms_ssim = 0, nmse = 0, nrmse = 0, hfen = 0;
};

struct ImageScoreOptions {
  ScoreRange range = ScoreRange::span;
  bool all = true;  // false: psnr, ssim, nmse and nrmse, which take least time
};
// Tensors of one shape {D, H, W} or {D, H, W, C}, slices being those along D.
ImageScores image_scores(const Tensor& image, const Tensor& reference, const ImageScoreOptions& = {});

// psnr alone, of tensors of any one shape.
double psnr(const Tensor& image, const Tensor& reference, ScoreRange = ScoreRange::span);

// The scores by their names, in the order in which they are printed.
struct ImageScoreKey {
  const char* name;
  double ImageScores::*value;
  bool larger_is_better;
  int decimals;
};
const std::vector<ImageScoreKey>& image_score_keys();

}  // namespace voxgrad
