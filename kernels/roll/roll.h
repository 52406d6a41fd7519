#pragma once
#include <vector>

#include "core/tensor.h"

namespace voxgrad {

// Along axes[k] every element moves by shifts[k] places, and what leaves at one end comes in at the other:
// y[i] = x[(i - shift) mod extent]. Negative axes count from the end. Any dtype. Saves nothing.
Tensor roll(const Tensor& x, const std::vector<int64_t>& shifts, const std::vector<int>& axes);

}  // namespace voxgrad
