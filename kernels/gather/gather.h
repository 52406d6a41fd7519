#pragma once
#include "core/tensor.h"

namespace voxgrad {

// y[.., j, ..] = x[.., index[.., j, ..], ..] along one axis (negative ones count from the end). index, of any integer dtype, has the shape
// of x but for the extent of that axis, and y has its shape; x of any dtype. An index beyond the axis is an Error, for which CUDA waits for
// the stream. The gradient of an element is the sum of those of its copies, taken in the order of j. Saves the index as i64.
Tensor gather(const Tensor& x, int axis, const Tensor& index);

}  // namespace voxgrad
