#pragma once
#include "core/tensor.h"

namespace voxgrad {

// u8: 1 where the relation holds, else 0. Both operands are of one dtype, any, or as binary.h says of parameters beside activations; shapes
// are broadcast by NumPy's rule (binary.h), an Error for others. By IEEE 754 a NaN is unequal to all numbers and to itself, and neither
// less nor greater. Not differentiable.
Tensor equal(const Tensor& a, const Tensor& b);
Tensor not_equal(const Tensor& a, const Tensor& b);
Tensor less(const Tensor& a, const Tensor& b);
Tensor less_equal(const Tensor& a, const Tensor& b);
Tensor greater(const Tensor& a, const Tensor& b);
Tensor greater_equal(const Tensor& a, const Tensor& b);

// The same beside a number: as accum_of(dtype) for floating tensors; for integers it must be one that the dtype holds.
Tensor equal(const Tensor& a, double b);
Tensor not_equal(const Tensor& a, double b);
Tensor less(const Tensor& a, double b);
Tensor less_equal(const Tensor& a, double b);
Tensor greater(const Tensor& a, double b);
Tensor greater_equal(const Tensor& a, double b);

// Of u8, whose elements other than 0 are true: u8, 0 or 1.
Tensor logical_and(const Tensor& a, const Tensor& b);
Tensor logical_or(const Tensor& a, const Tensor& b);
Tensor logical_not(const Tensor& a);

// Of a floating tensor: u8, 0 or 1.
Tensor isnan(const Tensor& x);
Tensor isfinite(const Tensor& x);  // neither a NaN nor infinite

}  // namespace voxgrad
