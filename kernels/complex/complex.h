#pragma once
#include "core/tensor.h"

// Arithmetic of complex images (kernels/fft/fft.h): f32 or f64 tensors whose last axis holds pairs of real and imaginary parts, all other
// axes being equal. Gradients are those of real and imaginary parts as numbers of their own.
namespace voxgrad {

struct ComplexMulOptions {
  bool conjugate = false;  // of a
};
// y_c = a_c b_c. Either has as many components as the other, or one, which goes with each of the other's: a coil-combined image times the
// sensitivities of all coils. Saves b if a wants a gradient, a if b wants one.
Tensor complex_mul(const Tensor& a, const Tensor& b, const ComplexMulOptions& = {});

// sum over components c of conj(a_c) b_c: two tensors {.., 2 C} give {.., 2}. With the sensitivities as a, coil images are combined (Roemer
// et al. 1990). The same is saved.
Tensor complex_dot(const Tensor& a, const Tensor& b);

// sqrt(sum over the last axis of x^2): {.., 2 C} gives {.., 1}, the root of the sum of squares of coils, of one component its magnitude.
// The gradient where it is 0 is 0. Saves x and y.
Tensor root_sum_of_squares(const Tensor& x);

}  // namespace voxgrad
