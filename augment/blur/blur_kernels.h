#pragma once
#include "augment/batch_kernels.h"

namespace voxgrad {

// Of a channel: where the 2 half + 1 weights of an axis start in the table.
struct BatchBlur {
  int64_t taps[3];
  int half[3];
};
void batch_blur(Cuda, const BatchImage&, const BatchChannel* places, const BatchBlur*, int64_t count, const float* weights,
                int64_t weight_count);

}  // namespace voxgrad
