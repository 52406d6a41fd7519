#pragma once
#include "tasks/image_scores/image_scores.h"

namespace voxgrad {

// The scores of an image as fastMRI judges a volume (Zbontar et al. 2018, fastmri/evaluate.py): the range of PSNR and SSIM is the largest
// of the reference. Without those that take longer.
using ReconstructionScores = ImageScores;
inline ReconstructionScores reconstruction_scores(const Tensor& image, const Tensor& reference) {
  return image_scores(image, reference, {.range = ScoreRange::largest, .all = false});
}

}  // namespace voxgrad
