#pragma once
#include "kernels/dice_cross_entropy/dice_cross_entropy.h"
#include "kernels/dice_cross_entropy/loss_kernels.h"

namespace voxgrad {

// One use of the loss kernels, recorded. A part of weight 0 is left out, and its options do not matter.
Tensor segmentation_loss(const char* op, const Tensor& logits, const Tensor& label, const DiceCrossEntropyOptions&);

}  // namespace voxgrad
