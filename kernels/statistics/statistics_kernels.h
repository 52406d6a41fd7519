#pragma once
#include "core/device/execution.h"
#include "core/view.h"
#include "kernels/reduce/reduce_kernels.h"
#include "kernels/statistics/statistics_formulas.h"

namespace voxgrad {

// x is {outer, reduced, inner}; pivot (may be absent, then 0), y and gy are {outer, inner} of accum_of(dtype of x). y and gx are assigned.
// Backward is given those of pivot and y that the formula's derivative reads.
#define X(F)                                                                                                                          \
  void statistic_forward(Cpu, const statistic_formula::F&, const ReduceRuns&, View x, View pivot, View y);                            \
  void statistic_forward(Cuda, const statistic_formula::F&, const ReduceRuns&, View x, View pivot, View y);                           \
  void statistic_backward(Cpu, const statistic_formula::F&, const ReduceRuns&, View x, View pivot, View y, View gy, View gx);         \
  void statistic_backward(Cuda, const statistic_formula::F&, const ReduceRuns&, View x, View pivot, View y, View gy, View gx);
VOXGRAD_STATISTIC_FORMULAS(X)
#undef X

// y = the product over the middle axis. gx = gy times the product of all others.
void product_forward(Cpu, const ReduceRuns&, View x, View y);
void product_forward(Cuda, const ReduceRuns&, View x, View y);
void product_backward(Cpu, const ReduceRuns&, View x, View gy, View gx);
void product_backward(Cuda, const ReduceRuns&, View x, View gy, View gx);

}  // namespace voxgrad
