#pragma once
#include "core/tensor.h"

namespace voxgrad {

// y[i] = f(x[i]) for a tensor of any shape, in its dtype. Formulas and derivatives: formulas.h.
Tensor relu(const Tensor& x);                                // saves y
Tensor leaky_relu(const Tensor& x, double slope = 0.01);     // slope >= 0; saves y
Tensor elu(const Tensor& x, double alpha = 1);               // alpha > 0; saves y
Tensor gelu(const Tensor& x);                                // saves x
Tensor sigmoid(const Tensor& x);                             // saves y
Tensor silu(const Tensor& x);                                // saves x
Tensor softplus(const Tensor& x);                            // saves x
Tensor tanh(const Tensor& x);                                // saves y
Tensor exp(const Tensor& x);                                 // saves y
Tensor log(const Tensor& x);                                 // natural; saves x
Tensor sqrt(const Tensor& x);                                // saves y
Tensor square(const Tensor& x);                              // saves x
Tensor abs(const Tensor& x);                                 // gradient 0 at 0; saves x
Tensor clamp(const Tensor& x, double low, double high);      // saves x
Tensor power(const Tensor& x, double exponent);              // x > 0; saves x
Tensor affine(const Tensor& x, double scale, double shift);  // scale x + shift; saves nothing

inline Tensor operator-(const Tensor& x) { return affine(x, -1, 0); }

}  // namespace voxgrad
