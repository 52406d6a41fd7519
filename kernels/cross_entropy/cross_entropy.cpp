#include "kernels/cross_entropy/cross_entropy.h"

#include "kernels/dice_cross_entropy/loss_call.h"

namespace voxgrad {

Tensor cross_entropy(const Tensor& logits, const Tensor& label, const CrossEntropyOptions& o) {
  return segmentation_loss("cross_entropy", logits, label, {.dice_weight = 0, .cross_entropy = o});
}

}  // namespace voxgrad
