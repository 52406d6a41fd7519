#pragma once
#include "core/tensor.h"
#include "kernels/pointwise/pointwise.h"

namespace voxgrad {

// y = f(a, b), elementwise, of shapes that are broadcast by NumPy's rule: axes are matched from the last one, an operand repeats along an
// axis where its extent is 1 or where it has none. {N, 1, 1, 1, C} goes with {N, D, H, W, C}, and so does {C}; {N, C} does not. An Error
// for other shapes. Both are of one floating dtype, that of y, or an operand that repeats is of accum_of it, as parameters are.
// Gradients reach both; that of an operand that repeats is the sum over where it does, in f32 over blocks and in f64 over these (reduce.h).
// Fastest beside an operand of the shape of y: the same shape, one element, {C}, {N, 1, 1, 1, C}, {N, 1, 1, 1, 1}.
Tensor add(const Tensor& a, const Tensor& b);      // saves nothing
Tensor sub(const Tensor& a, const Tensor& b);      // saves nothing
Tensor mul(const Tensor& a, const Tensor& b);      // saves b if a wants a gradient, a if b wants one
Tensor div(const Tensor& a, const Tensor& b);      // saves b, and a if b wants a gradient
Tensor maximum(const Tensor& a, const Tensor& b);  // a NaN stays; equal elements share the gradient half and half; saves a and b
Tensor minimum(const Tensor& a, const Tensor& b);  // the same
Tensor power(const Tensor& a, const Tensor& b);    // a^b for a >= 0; saves a and b

inline Tensor operator+(const Tensor& a, const Tensor& b) { return add(a, b); }
inline Tensor operator-(const Tensor& a, const Tensor& b) { return sub(a, b); }
inline Tensor operator*(const Tensor& a, const Tensor& b) { return mul(a, b); }
inline Tensor operator/(const Tensor& a, const Tensor& b) { return div(a, b); }

inline Tensor operator+(const Tensor& a, double b) { return affine(a, 1, b); }
inline Tensor operator+(double a, const Tensor& b) { return affine(b, 1, a); }
inline Tensor operator-(const Tensor& a, double b) { return affine(a, 1, -b); }
inline Tensor operator-(double a, const Tensor& b) { return affine(b, -1, a); }
inline Tensor operator*(const Tensor& a, double b) { return affine(a, b, 0); }
inline Tensor operator*(double a, const Tensor& b) { return affine(b, a, 0); }
inline Tensor operator/(const Tensor& a, double b) { return affine(a, 1 / b, 0); }
inline Tensor operator/(double a, const Tensor& b) { return div(Tensor::full(b.shape(), a, b.dtype(), b.device()), b); }

}  // namespace voxgrad
