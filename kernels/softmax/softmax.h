#pragma once
#include "core/tensor.h"

namespace voxgrad {

// Over the last axis of x {.., K}: y[k] = e^(x[k] - m) / sum_j e^(x[j] - m), m the maximum. Saves y.
Tensor softmax(const Tensor& x);
// y[k] = x[k] - m - ln sum_j e^(x[j] - m). Saves y.
Tensor log_softmax(const Tensor& x);

}  // namespace voxgrad
