#pragma once
#include "core/tensor.h"

namespace voxgrad {

// x with two of its axes exchanged (a copy, of any dtype); negative axes count from the end. Recorded as permute. Saves nothing.
Tensor transpose(const Tensor& x, int a = -2, int b = -1);

}  // namespace voxgrad
