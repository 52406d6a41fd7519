#pragma once
#include <vector>

#include "core/tensor.h"
#include "tasks/classification/class_targets.h"

namespace voxgrad {

struct ClassLossOptions {
  ClassTarget target = ClassTarget::single;
  std::vector<double> class_weights = {};  // of K classes; of multi_label those of positive targets; empty: all 1
  double label_smoothing = 0;              // s in [0, 1]
  double focal_gamma = 0;                  // > 0: focal loss (Lin et al. 2017)
};

// The loss of logits z {N, K}, a scalar. truth {N, 1} of integers, of multi_label f32 {N, K} of 0 and 1. With s(x) = 1 / (1 + e^-x):
// single: softmax cross-entropy (kernels/cross_entropy), or kernels/class_loss' focal loss.
// multi_label: the mean over N K of the binary cross-entropy of s(z[k]), or of its focal loss; smoothing takes t to (1 - s) t + s / 2.
// ordinal: the mean over the cases of w[y] (-ln p(y)). z[k] decides whether a case that has come to class k - 1 goes on to k:
//   P(y >= k) = s(z[1]) .. s(z[k]),   p(k) = P(y >= k) - P(y >= k + 1),
// so that P(y >= k) falls with k whatever z (CORN: Shi, Cao and Raschka, "Deep neural networks for rank-consistent ordinal regression based
// on conditional probabilities", 2023, whose mean is over decisions in place of cases). z[0] stands for what is certain and is not used.
Tensor classification_loss(const Tensor& logits, const Tensor& truth, const ClassLossOptions&);

// What the logits of one case say: probabilities of the K classes, of which those of multi_label are independent and the others sum to 1.
std::vector<double> class_probabilities(const std::vector<double>& logits, ClassTarget);

}  // namespace voxgrad
