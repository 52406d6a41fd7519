#pragma once
#include "core/tensor.h"

// Losses of overlap between predicted and true regions, from sums over the voxels of each sample and class: I of p t, P of p, T of t.
// Compositions of the library's ops in accum_of(dtype), which keep some tensors of the size of the logits; nnU-Net's Dice on labels is
// kernels/soft_dice.
namespace voxgrad {

struct TverskyOptions {
  double alpha = 0.3, beta = 0.7;  // weights of false positives and false negatives; 0.5 and 0.5 are the Dice
  double exponent = 1;             // (1 - Tversky index)^exponent: focal Tversky, whose authors take 3/4
  double smooth = 1e-5;            // > 0
  bool batch = false;              // sums run over the batch too, and not per sample
  bool include_background = false; // class 0
  int ignore_label = -1;           // of tversky_loss: voxels with this label count for nothing
};
// logits {N, .., K}, label {N, ..} of an integer dtype, p = softmax(logits), t the one-hot label. Mean over samples and classes of
// (1 - (I + smooth) / (I + alpha (P - I) + beta (T - I) + smooth))^exponent: a scalar of accum_of(dtype), from 0 (perfect) to 1.
// Salehi et al., "Tversky loss function for image segmentation using 3D fully convolutional deep networks", MLMI 2017; the exponent:
// Abraham and Khan, "A novel focal Tversky loss function", ISBI 2019. A label beyond the classes is an Error.
Tensor tversky_loss(const Tensor& logits, const Tensor& label, const TverskyOptions& = {});
// Regions that may overlap: p = sigmoid(logits), t {N, .., K} of any dtype, in [0, 1]; every class counts.
Tensor sigmoid_tversky_loss(const Tensor& logits, const Tensor& target, const TverskyOptions& = {});

struct SigmoidDiceOptions {
  bool batch = false;
  double smooth = 1e-5;  // > 0
};
// Minus the mean over samples and regions of (2 I + smooth) / (P + T + smooth), as sigmoid_tversky_loss: from -1 (perfect) to 0, as
// nnU-Net's Dice for regions.
Tensor sigmoid_dice_loss(const Tensor& logits, const Tensor& target, const SigmoidDiceOptions& = {});

}  // namespace voxgrad
