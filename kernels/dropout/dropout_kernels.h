#pragma once
#include <cstdint>

#include "core/device/execution.h"
#include "core/view.h"

namespace voxgrad {

// y[i] = x[i] * scale where word k mod 4 of philox(key, k / 4, stream) is at least `threshold`, else 0. k is i, or with
// per_channel (i / (inner * channels)) * channels + i mod channels, for x {samples, inner, channels}.
struct DropoutProblem {
  uint64_t key = 0, stream = 0, threshold = 0;  // threshold: 1 to 2^32, which keeps none
  double scale = 1;
  int64_t count = 0, inner = 1, channels = 1;
  bool per_channel = false;
};
void dropout(Cpu, const DropoutProblem&, View x, View y);
void dropout(Cuda, const DropoutProblem&, View x, View y);

}  // namespace voxgrad
