#pragma once
#include "core/tensor.h"

// Losses of logits {.., K} of K classes that exclude each other, p = softmax(logits), one pass forward and one backward: scalars of
// accum_of(dtype). Save the logits and the targets; backward takes the softmax again.
namespace voxgrad {

struct SoftCrossEntropyOptions {
  Tensor class_weights = {};   // {K}; absent: all 1
  double label_smoothing = 0;  // s in [0, 1]: t becomes (1 - s) t + s / K
};
// Mean over the voxels of sum_k w[k] t[k] (-ln p[k]): targets t {.., K} of the shape and dtype of the logits, as mixing of samples or a
// teacher gives them. The divisor is the number of voxels, whatever their weights, as in PyTorch. Gradients reach the targets too.
Tensor soft_cross_entropy(const Tensor& logits, const Tensor& targets, const SoftCrossEntropyOptions& = {});

struct FocalOptions {
  double gamma = 2;           // >= 0; 0 is the cross-entropy
  Tensor class_weights = {};  // alpha {K}; absent: all 1
  int ignore_label = -1;      // voxels with this label count for nothing
};
// Mean over the voxels that are not ignored of w[y] (1 - p[y])^gamma (-ln p[y]), labels y {..} of any integer dtype; 0 where all are
// ignored. A label beyond the classes is an Error, for which CUDA waits for the stream. Lin et al., ICCV 2017, for several classes.
Tensor focal_loss(const Tensor& logits, const Tensor& label, const FocalOptions& = {});

}  // namespace voxgrad
