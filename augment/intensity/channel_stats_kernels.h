#pragma once
#include "augment/batch_kernels.h"

namespace voxgrad {

// Of one channel of a batch.
struct BatchStats {
  double mean, standard_deviation;  // the latter with n - 1
  float low, high;
};
// Assigns stats {count} of the channels at `places`, both on the device.
void batch_stats(Cuda, const BatchImage&, const BatchChannel* places, int64_t count, BatchStats* stats);

}  // namespace voxgrad
