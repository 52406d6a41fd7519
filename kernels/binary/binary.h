#pragma once
#include "core/tensor.h"
#include "kernels/pointwise/pointwise.h"

namespace voxgrad {

// y[i] = f(a[i], b[i]) in the dtype of a, for a of any shape. b is of the same shape and dtype, or it has one element, or it is
// {C} beside an `a` whose last axis has C elements; in these two cases b may also be of accum_of(dtype of a). Gradients reach both.
Tensor add(const Tensor& a, const Tensor& b);      // saves nothing
Tensor sub(const Tensor& a, const Tensor& b);      // saves nothing
Tensor mul(const Tensor& a, const Tensor& b);      // saves b if a wants a gradient, a if b wants one
Tensor div(const Tensor& a, const Tensor& b);      // saves b, and a if b wants a gradient
Tensor maximum(const Tensor& a, const Tensor& b);  // a NaN stays; equal elements share the gradient half and half; saves a and b
Tensor minimum(const Tensor& a, const Tensor& b);  // the same

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
