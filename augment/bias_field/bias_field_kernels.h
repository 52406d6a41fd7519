#pragma once
#include "augment/batch_kernels.h"

namespace voxgrad {

// coefficients {count, powers}, on the host.
void batch_bias_field(Cuda, const BatchImage&, const BatchChannel* places, const float* coefficients, int64_t count, int64_t powers);

}  // namespace voxgrad
