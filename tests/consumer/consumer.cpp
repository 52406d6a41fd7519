#include <voxgrad/core/autograd.h>
#include <voxgrad/kernels/pointwise/pointwise.h>

#include <cstdio>

#include "all_headers.h"

// d/dx sum (2 x + 1)^2 = 4 (2 x + 1).
int main() {
  using namespace voxgrad;
  Tensor x = Tensor::from({-1, 0, 3}, {3});
  x.require_grad();
  backward(square(affine(x, 2, 1)), Tensor::full({3}, 1));
  const bool right = x.grad().values() == std::vector<double>{-4, 4, 28};
  std::printf("gradient %s\n", right ? "right" : "wrong");
  return right ? 0 : 1;
}
