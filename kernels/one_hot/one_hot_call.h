#pragma once
#include "core/tensor.h"

namespace voxgrad {

// one_hot in the name of `op`.
Tensor one_hot_call(const char* op, const Tensor& label, int64_t classes, DType);

}  // namespace voxgrad
