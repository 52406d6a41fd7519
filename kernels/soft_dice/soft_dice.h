#pragma once
#include "core/tensor.h"

namespace voxgrad {

struct SoftDiceOptions {
  bool batch_dice = false;          // sums run over the batch too, and not per sample
  bool include_background = false;  // class 0
  double smooth = 1e-5;
  int ignore_label = -1;            // voxels with this label count for nothing
};

// logits {N, .., K}, label {N, ..} of any integer dtype, p = softmax(logits), t the one-hot label. Minus the mean over samples and
// classes of
//   (2 sum_v p t + smooth) / max(sum_v p + sum_v t + smooth, 1e-8),
// so from -1 (perfect) to 0: nnU-Net's MemoryEfficientSoftDiceLoss, in the trainer's setting. A scalar of accum_of(logits.dtype). Saves
// the logits; backward takes the softmax again.
Tensor soft_dice_loss(const Tensor& logits, const Tensor& label, const SoftDiceOptions& = {});

}  // namespace voxgrad
