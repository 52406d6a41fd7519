#pragma once
#include "augment/batch_kernels.h"

namespace voxgrad {

// Keeps the range.
void batch_contrast(Cuda, const BatchImage&, const BatchChannel* places, const double* factors, int64_t count);

}  // namespace voxgrad
