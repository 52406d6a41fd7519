#pragma once
#include <functional>

#include "core/tensor.h"

namespace voxgrad {

// A measurement that is linear in the image, and its adjoint: <forward(x), y> = <x, adjoint(y)>.
struct LinearMap {
  std::function<Tensor(const Tensor& x)> forward, adjoint;
};

// sum of a_i b_i of two tensors of one shape.
double inner_product(const Tensor& a, const Tensor& b);

// The largest singular value, by power iterations that start at `start`, an image that is not 0.
double norm_of(const LinearMap&, const Tensor& start, int iterations = 20);

}  // namespace voxgrad
