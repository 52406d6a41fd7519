#pragma once
#include "core/tensor.h"

namespace voxgrad {

// Elements [begin, end) of one axis (a negative axis counts from the end); a copy, of any dtype. Saves nothing.
Tensor slice(const Tensor& x, int axis, int64_t begin, int64_t end);

// The box [begin, begin + size) of the spatial axes of {N, D, H, W, C}. Saves nothing.
Tensor crop3d(const Tensor& x, const Int3& begin, const Int3& size);

}  // namespace voxgrad
