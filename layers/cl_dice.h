#pragma once
#include "core/tensor.h"

namespace voxgrad {

struct SoftClDiceOptions {
  int iterations = 3;        // of thinning: half the width in voxels of what is to become a line
  double smooth = 1;         // added to both parts of the quotients
  double smooth_last = 1e-4;  // and below the last one
};

// A differentiable centreline of x {N, D, H, W, C}, from 0 to 1: what openings by a voxel take away of x and of its erosions (Shit et al.
// 2021). Erosion is the least of three voxels along each axis, dilation the largest of 3 x 3 x 3.
Tensor soft_skeleton(const Tensor& x, int iterations);

// 1 - clDice (Shit et al. 2021) of probabilities {N, D, H, W, C} of classes or regions, without a background, and what they should be: 1
// - 2 p r / (p + r + smooth_last), p = (sum skeleton(x) y + smooth) / (sum skeleton(x) + smooth), r the same with x and y exchanged, sums
// over a sample, the mean over samples. As MONAI's SoftclDiceLoss.
Tensor soft_cl_dice_loss(const Tensor& probabilities, const Tensor& target, const SoftClDiceOptions& = {});

}  // namespace voxgrad
