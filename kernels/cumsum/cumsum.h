#pragma once
#include "core/tensor.h"

namespace voxgrad {

// y[.., i, ..] = sum of x[.., j, ..] over j <= i along one axis (negative ones count from the end) of a floating tensor, of its shape and
// dtype. The running sum is f64. Saves nothing.
Tensor cumsum(const Tensor& x, int axis);

}  // namespace voxgrad
