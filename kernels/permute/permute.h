#pragma once
#include <vector>

#include "core/tensor.h"

namespace voxgrad {

// Axis k of the result is axis axes[k] of x: permute(x, {0, 4, 1, 2, 3}) makes {N, C, D, H, W} of {N, D, H, W, C}. Any dtype.
// Saves nothing.
Tensor permute(const Tensor& x, const std::vector<int>& axes);

}  // namespace voxgrad
