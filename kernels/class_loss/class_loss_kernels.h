#pragma once
#include <cstdint>

#include "core/device/execution.h"
#include "core/view.h"

namespace voxgrad {

// Logits {rows, classes}. targets: with `soft` {rows, classes} of the dtype of the logits, else labels i64 {rows}. weights {classes} of
// accum_of(logits) or absent.
struct ClassLoss {
  bool soft;
  int64_t rows, classes;
  double smoothing, gamma;
  int64_t ignore;
};
inline constexpr int64_t kNoBadClass = INT64_MAX;
// loss {} and divisor {} of accum_of(logits): sum over the rows that count, divided by their number (1 if there is none). Returns the
// smallest label beyond the classes, or kNoBadClass; on CUDA as cuda::Found is read, for say_found().
int64_t class_loss(Cpu, const ClassLoss&, View logits, View targets, View weights, View loss, View divisor);
int64_t class_loss(Cuda, const ClassLoss&, View logits, View targets, View weights, View loss, View divisor);
// Null gradients are not computed.
void class_loss_backward(Cpu, const ClassLoss&, View logits, View targets, View weights, View divisor, View seed, View gz, View gt);
void class_loss_backward(Cuda, const ClassLoss&, View logits, View targets, View weights, View divisor, View seed, View gz, View gt);

}  // namespace voxgrad
