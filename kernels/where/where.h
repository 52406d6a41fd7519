#pragma once
#include "core/tensor.h"

namespace voxgrad {

// y = condition ? a : b, elementwise: `condition` is u8 (not 0: a), as comparisons give it; a and b are of one dtype, any, or as binary.h
// says of parameters beside activations. All three shapes are broadcast by NumPy's rule (binary.h), an Error for others. What is not chosen
// is not read into anything: a NaN there does no harm. Gradients reach a and b, each where it was chosen, summed as binary.h says. Saves
// the condition.
Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b);
// The same beside a number.
Tensor where(const Tensor& condition, const Tensor& a, double b);
Tensor where(const Tensor& condition, double a, const Tensor& b);

}  // namespace voxgrad
