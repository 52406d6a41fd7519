#pragma once
#include <functional>
#include <vector>

#include "core/tensor.h"

namespace voxgrad {

struct GradientCheck {
  uint64_t seed = 1;   // of cotangents and directions
  double step = 1e-6;  // of the finite differences
};

// Whether the gradient of an op is the derivative of its formula: of y = f(inputs), computed in f64 on the CPU, the largest of
// |numeric - exact| / (|numeric| + |exact| + 1e-3) over the inputs that require a gradient (where none does, over all floating ones), with
// exact = <gradient, d> and numeric = <g, f(x + step d) - f(x - step d)> / (2 step) for a random cotangent g and a random direction d in
// [-1, 1). NaN where an input got no gradient. A right gradient of a smooth f gives less than 1e-6. The inputs stay as they are.
double gradient_error(const std::function<Tensor(const std::vector<Tensor>&)>& f, const std::vector<Tensor>& inputs,
                      const GradientCheck& options = {});

namespace detail {
// Uniform in [-1, 1), of the shape of t: what the check draws.
Tensor random_like(const Tensor& t, DType, uint64_t seed);
// The larger error. A NaN is larger than anything and stays: std::max would lose it.
double worse(double a, double b);
}  // namespace detail

}  // namespace voxgrad
