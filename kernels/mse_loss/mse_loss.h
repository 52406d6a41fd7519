#pragma once
#include "core/tensor.h"

namespace voxgrad {

// Means over all elements of (a - b)^2 and of |a - b|, for a and b of one shape and dtype: scalars of accum_of(dtype). Both may want a
// gradient (that of l1_loss is 0 where a = b). Save a and b.
Tensor mse_loss(const Tensor& a, const Tensor& b);
Tensor l1_loss(const Tensor& a, const Tensor& b);

}  // namespace voxgrad
