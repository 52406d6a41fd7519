#pragma once
#include "core/tensor.h"

namespace voxgrad {

// How near an image is to its reference, as fastMRI judges a volume (Zbontar et al. 2018, fastmri/evaluate.py):
//   psnr  20 log10(largest of the reference / root mean square difference), in dB
//   ssim  layers/ssim.h with windows of 7 x 7 and the range 0 to the largest of the reference, the mean over slices
//   nmse  |image - reference|^2 / |reference|^2
// ssim is NaN where slices are smaller than the window.
struct ReconstructionScores {
  double psnr = 0, ssim = 0, nmse = 0;
};
// Tensors of one shape {D, H, W} or {D, H, W, C}.
ReconstructionScores reconstruction_scores(const Tensor& image, const Tensor& reference);

}  // namespace voxgrad
