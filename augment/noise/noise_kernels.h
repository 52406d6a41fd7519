#pragma once
#include "augment/batch_kernels.h"

namespace voxgrad {

// x[i] += sigma n, n standard normal from words 0 and 1 (even i) or 2 and 3 (odd i) of philox(key, i / 2), for i in [begin, end), both
// even or end the last: the same bits on every instruction set.
void add_noise(float* x, int64_t begin, int64_t end, float sigma, uint64_t key);

// Of one sample; sigma 0: none.
struct BatchNoise {
  uint64_t key;
  float sigma;
};
void batch_noise(Cuda, const BatchImage&, const BatchNoise* per_sample);

}  // namespace voxgrad
