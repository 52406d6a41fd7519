#pragma once
#include "core/device/execution.h"
#include "core/view.h"
#include "kernels/pointwise/math_formulas.h"

namespace voxgrad {

// y and gx are assigned. Backward is given only those of x and y that the formula saves; the other is null.
#define X(F)                                                                                    \
  void pointwise_forward(Cpu, const formula::F&, int64_t n, View x, View y);                    \
  void pointwise_forward(Cuda, const formula::F&, int64_t n, View x, View y);                   \
  void pointwise_backward(Cpu, const formula::F&, int64_t n, View x, View y, View gy, View gx); \
  void pointwise_backward(Cuda, const formula::F&, int64_t n, View x, View y, View gy, View gx);
VOXGRAD_POINTWISE_FORMULAS(X)
VOXGRAD_MATH_FORMULAS(X)
#undef X

}  // namespace voxgrad
