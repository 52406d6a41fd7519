#pragma once
#include <vector>

#include "core/tensor.h"

namespace voxgrad {

// Tensors of one dtype, whose shapes differ along `axis` at most (negative axes count from the end), behind one another along it.
// Any dtype. Saves nothing.
Tensor concat(const std::vector<Tensor>& tensors, int axis);

}  // namespace voxgrad
