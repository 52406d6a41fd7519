#pragma once
#include "core/tensor.h"
#include "kernels/copy/copy_kernels.h"

// What slice, crop, pad, concat, permute and flip share beside their kernels. Nothing here is recorded.
namespace voxgrad {

// A copy over all of `extent` whose strides are those of dense tensors of the shapes `from` and `into`.
StridedCopy dense_copy(const Shape& extent, const Shape& from, const Shape& into);

// The box of extents `size` that starts at `begin`, of x.
Tensor take_box(const Tensor& x, const Shape& begin, const Shape& size);

// A tensor of the shape `extent` that is x in the box starting at `begin`, and `value` elsewhere.
Tensor place_box(const Tensor& x, const Shape& begin, const Shape& extent, double value);

// The axis, counted from the front; fails in the name of `op` where the shape has none such.
int axis_of(const char* op, const Shape& shape, int axis);

}  // namespace voxgrad
