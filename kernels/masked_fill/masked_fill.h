#pragma once
#include "core/tensor.h"

namespace voxgrad {

// y = value where the mask is not 0, x elsewhere. The mask is u8, of the shape of x or one that broadcasts to it (expand). x of any
// dtype, and a value that fits it; no gradient where the mask is. Saves the mask.
Tensor masked_fill(const Tensor& x, const Tensor& mask, double value);

}  // namespace voxgrad
