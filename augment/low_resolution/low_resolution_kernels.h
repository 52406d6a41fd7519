#pragma once
#include "augment/batch_kernels.h"

namespace voxgrad {

// Of a channel: the extents of its coarse version.
struct BatchCoarse {
  int64_t size[3];
};
void batch_low_resolution(Cuda, const BatchImage&, const BatchChannel* places, const BatchCoarse*, int64_t count);

}  // namespace voxgrad
