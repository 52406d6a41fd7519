#include "layers/inverse/linear_map.h"

#include <cmath>

#include "core/autograd.h"
#include "kernels/binary/binary.h"
#include "kernels/reduce/reduce.h"

namespace voxgrad {

double inner_product(const Tensor& a, const Tensor& b) {
  const Unrecorded quiet;
  return sum(a * b).item();
}

double norm_of(const LinearMap& a, const Tensor& start, int iterations) {
  const Unrecorded quiet;
  Tensor x = start;
  double norm = std::sqrt(inner_product(x, x));
  check(norm > 0, "norm_of: the image to start at is 0");
  for (int i = 0; i < iterations && norm > 0; ++i) {
    x = a.adjoint(a.forward(x * (1 / norm)));
    norm = std::sqrt(inner_product(x, x));
  }
  return std::sqrt(norm);
}

}  // namespace voxgrad
