#include "kernels/soft_dice/soft_dice.h"

#include "kernels/dice_cross_entropy/loss_call.h"

namespace voxgrad {

Tensor soft_dice_loss(const Tensor& logits, const Tensor& label, const SoftDiceOptions& o) {
  return segmentation_loss("soft_dice_loss", logits, label, {.cross_entropy_weight = 0, .dice = o});
}

}  // namespace voxgrad
