#pragma once
#include "core/tensor.h"

namespace voxgrad {

// y[i] = f(x[i]) for a tensor of any shape, in its dtype. Formulas and derivatives: formulas.h and math_formulas.h.
Tensor relu(const Tensor& x);                                // saves y
Tensor leaky_relu(const Tensor& x, double slope = 0.01);     // slope >= 0; saves y
Tensor elu(const Tensor& x, double alpha = 1);               // alpha > 0; saves y
Tensor gelu(const Tensor& x);                                // the exact form, by erf; saves x
Tensor gelu_tanh(const Tensor& x);                           // the form by tanh that many published weights were trained with; saves x
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
Tensor power(const Tensor& x, double exponent);              // x > 0; saves x, for -1 and +-1/2 y
Tensor affine(const Tensor& x, double scale, double shift);  // scale x + shift; saves nothing

Tensor hard_sigmoid(const Tensor& x);  // saves x
Tensor hard_swish(const Tensor& x);    // saves x
Tensor mish(const Tensor& x);          // saves x
Tensor erf(const Tensor& x);           // saves x
Tensor log1p(const Tensor& x);         // ln(1 + x); saves x
Tensor expm1(const Tensor& x);         // e^x - 1; saves y
Tensor sin(const Tensor& x);           // of radians; saves x
Tensor cos(const Tensor& x);           // saves x
Tensor reciprocal(const Tensor& x);    // 1 / x; saves y
Tensor rsqrt(const Tensor& x);         // 1 / sqrt(x); saves y
// The gradient of these is 0.
Tensor sign(const Tensor& x);   // 1, 0 or -1; a NaN stays
Tensor floor(const Tensor& x);
Tensor ceil(const Tensor& x);
Tensor round(const Tensor& x);  // halves to the even neighbour

inline Tensor operator-(const Tensor& x) { return affine(x, -1, 0); }

}  // namespace voxgrad
