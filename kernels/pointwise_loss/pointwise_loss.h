#pragma once
#include "core/tensor.h"

// Losses of each element on its own, from x and a target of the shape, dtype and device of x: numerically stable, one pass forward and one
// backward. Gradients reach x and the target. The loss is a scalar of accum_of(dtype), or with Reduction::none of the shape and dtype of x.
// Save x and target.
namespace voxgrad {

enum class Reduction : uint8_t { mean, sum, none, batch_mean };  // batch_mean: the sum divided by the extent of axis 0

struct BceOptions {
  Tensor weight = {};      // of each element: of a shape that broadcasts to that of x; absent: all 1
  Tensor pos_weight = {};  // of positive targets: {C}, C the last axis of x, or {1}; absent: 1
  Reduction reduction = Reduction::mean;
};
// Binary cross-entropy, w [-c t ln s(x) - (1 - t) ln(1 - s(x))]: s the sigmoid, t in [0, 1] the target, w the weight, c the pos_weight. The
// mean is over all elements, whatever their weights. PyTorch's BCEWithLogitsLoss.
Tensor bce_with_logits(const Tensor& x, const Tensor& target, const BceOptions& = {});

struct SigmoidFocalOptions {
  double gamma = 2;     // >= 0
  double alpha = 0.25;  // weight of t = 1, of which t = 0 has 1 - alpha; negative: both 1
  Reduction reduction = Reduction::mean;
};
// a (1 - p)^gamma (-ln p), p the probability that s(x) gives to the target t in [0, 1]: p = t s(x) + (1 - t) (1 - s(x)), the logarithm that
// of the binary cross-entropy. Lin et al., "Focal loss for dense object detection", ICCV 2017.
Tensor sigmoid_focal_loss(const Tensor& x, const Tensor& target, const SigmoidFocalOptions& = {});

struct HuberOptions {
  double delta = 1;  // > 0
  Reduction reduction = Reduction::mean;
};
// With d = x - target: d^2 / 2 where |d| <= delta, else delta (|d| - delta / 2). Huber 1964.
Tensor huber_loss(const Tensor& x, const Tensor& target, const HuberOptions& = {});

struct SmoothL1Options {
  double beta = 1;  // > 0
  Reduction reduction = Reduction::mean;
};
// d^2 / (2 beta) where |d| <= beta, else |d| - beta / 2: the Huber loss divided by beta. Girshick, "Fast R-CNN", ICCV 2015.
Tensor smooth_l1_loss(const Tensor& x, const Tensor& target, const SmoothL1Options& = {});

struct KlDivOptions {
  bool log_target = false;  // the target is ln t
  Reduction reduction = Reduction::mean;
};
// t (ln t - x), 0 where t = 0: x is the logarithm of a probability, t one. As PyTorch's, whose mean is over all elements; batch_mean is the
// divergence of Kullback and Leibler for each sample.
Tensor kl_div(const Tensor& x, const Tensor& target, const KlDivOptions& = {});

}  // namespace voxgrad
