#pragma once
#include <cstdint>

#include "core/device/execution.h"
#include "core/view.h"

namespace voxgrad {

// Constants of one step; the formula is in lion.h.
struct LionUpdate {
  double learning_rate, beta1, beta2, weight_decay;
};
// p and the mean are updated, one pass; all are of one dtype, f32 or f64 (the latter on the CPU alone).
struct LionTensor {
  LionUpdate update;
  int64_t n;
  View p, g, mean;
};
void lion_update(Cpu, const LionTensor*, int64_t count);
void lion_update(Cuda, const LionTensor*, int64_t count);

}  // namespace voxgrad
