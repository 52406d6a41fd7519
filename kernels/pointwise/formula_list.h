#pragma once

// The formulas of formulas.h and of math_formulas.h, for X(name) of each.
#define VOXGRAD_POINTWISE_FORMULAS(X) \
  X(LeakyRelu) X(Elu) X(Gelu) X(Sigmoid) X(Silu) X(Softplus) X(Tanh) X(Exp) X(Log) X(Sqrt) X(Square) X(Abs) X(Clamp) X(Power) X(Affine)
#define VOXGRAD_MATH_FORMULAS(X)                                                                                             \
  X(GeluTanh) X(HardSigmoid) X(HardSwish) X(Mish) X(Erf) X(Log1p) X(Expm1) X(Sin) X(Cos) X(Reciprocal) X(Rsqrt) X(Sign) X(Floor) \
  X(Ceil) X(Round)
