#pragma once
#include "kernels/cross_entropy/cross_entropy.h"
#include "kernels/soft_dice/soft_dice.h"

namespace voxgrad {

struct DiceCrossEntropyOptions {
  double dice_weight = 1, cross_entropy_weight = 1;
  SoftDiceOptions dice = {};
  CrossEntropyOptions cross_entropy = {};  // its ignore_label must be that of dice
};

// dice_weight soft_dice_loss + cross_entropy_weight cross_entropy in shared passes: one over the logits forward, one backward. The
// defaults are nnU-Net's DC_and_CE_loss. Saves the logits.
Tensor dice_cross_entropy(const Tensor& logits, const Tensor& label, const DiceCrossEntropyOptions& = {});

}  // namespace voxgrad
