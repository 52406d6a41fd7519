#pragma once
#include "core/tensor.h"

namespace voxgrad {

// Over one axis of x (negative ones count from the end), of its shape: y[k] = e^(x[k] - m) / sum_j e^(x[j] - m), m the maximum. Saves y.
// Empty where x is. On CUDA fastest over the last axis; x is permuted for another one.
Tensor softmax(const Tensor& x, int axis = -1);
// y[k] = x[k] - m - ln sum_j e^(x[j] - m). Saves y.
Tensor log_softmax(const Tensor& x, int axis = -1);

}  // namespace voxgrad
