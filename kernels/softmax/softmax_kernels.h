#pragma once
#include <cstdint>

#include "core/device/execution.h"
#include "core/view.h"

namespace voxgrad {

// x is {voxels / inner, channels, inner}; y, gx are assigned. logarithm: log_softmax. On CUDA inner is 1.
struct SoftmaxProblem {
  int64_t voxels, channels, inner;
  bool logarithm;
};
void softmax_forward(Cpu, const SoftmaxProblem&, View x, View y);
void softmax_forward(Cuda, const SoftmaxProblem&, View x, View y);
void softmax_backward(Cpu, const SoftmaxProblem&, View y, View gy, View gx);
void softmax_backward(Cuda, const SoftmaxProblem&, View y, View gy, View gx);

}  // namespace voxgrad
