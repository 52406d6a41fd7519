#pragma once
#include <vector>

#include "core/tensor.h"

namespace voxgrad {

// Reverses the order along each of the axes (negative ones count from the end). Any dtype. Saves nothing.
Tensor flip(const Tensor& x, const std::vector<int>& axes);

}  // namespace voxgrad
