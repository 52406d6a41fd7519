#pragma once
#include <vector>

#include "core/tensor.h"
#include "kernels/concat/concat.h"

namespace voxgrad {

// Tensors of one shape and dtype along a new axis, which is axis `axis` of the result (negative ones count from its end). Up to 64, of any
// dtype. Recorded as concat. Saves nothing.
Tensor stack(const std::vector<Tensor>& tensors, int axis = 0);

// concat by its other name.
inline Tensor cat(const std::vector<Tensor>& tensors, int axis = 0) { return concat(tensors, axis); }

}  // namespace voxgrad
