#pragma once
#include <vector>

#include "core/tensor.h"

// Shapes with axes less or more: the elements stay where they are and the memory is shared, as with Tensor::reshape. Negative axes count
// from the end. Any dtype. Save nothing.
namespace voxgrad {

Tensor squeeze(const Tensor& x, const std::vector<int>& axes);  // without these axes, each of extent 1
Tensor squeeze(const Tensor& x);                                // without any axis of extent 1
Tensor unsqueeze(const Tensor& x, int axis);                    // with an axis of extent 1, which is axis `axis` of the result

// Axes first to last, both included, as one: {N, D, H, W, C} with first = 1 gives {N, D H W C}.
Tensor flatten(const Tensor& x, int first = 0, int last = -1);

}  // namespace voxgrad
