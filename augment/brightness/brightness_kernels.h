#pragma once
#include "augment/batch_kernels.h"

namespace voxgrad {

void batch_brightness(Cuda, const BatchImage&, const BatchChannel* places, const double* factors, int64_t count);

}  // namespace voxgrad
