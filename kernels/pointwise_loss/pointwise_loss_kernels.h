#pragma once
#include <cstdint>

#include "core/device/execution.h"
#include "core/view.h"

namespace voxgrad {

enum class LossFormula : uint8_t { bce, focal, huber, kl, kl_log };

// l(x, target) of n elements, in formulas of loss_formulas.h with parameters a and b. weight {n} and positive {channels}, the channel of
// element i being i mod channels, are of accum_of(x) or absent.
struct PointwiseLoss {
  LossFormula formula;
  double a, b;
  int64_t n, channels;
  bool reduced;    // y {} of accum_of(x) is scale times the sum; else y {n} is scale times each
  double scale;
};
void pointwise_loss(Cpu, const PointwiseLoss&, View x, View target, View weight, View positive, View y);
void pointwise_loss(Cuda, const PointwiseLoss&, View x, View target, View weight, View positive, View y);
// gx and gt (null ones are not computed) from gy, which is as y is.
void pointwise_loss_backward(Cpu, const PointwiseLoss&, View x, View target, View weight, View positive, View gy, View gx, View gt);
void pointwise_loss_backward(Cuda, const PointwiseLoss&, View x, View target, View weight, View positive, View gy, View gx, View gt);

}  // namespace voxgrad
