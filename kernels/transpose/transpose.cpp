#include "kernels/transpose/transpose.h"

#include <numeric>

#include "kernels/copy/copy.h"
#include "kernels/permute/permute.h"

namespace voxgrad {

Tensor transpose(const Tensor& x, int a, int b) {
  check(bool(x), "transpose: a tensor is wanted, not ", x);
  std::vector<int> axes(size_t(x.shape().rank));
  std::iota(axes.begin(), axes.end(), 0);
  std::swap(axes[size_t(axis_of("transpose", x.shape(), a))], axes[size_t(axis_of("transpose", x.shape(), b))]);
  return permute(x, axes);
}

}  // namespace voxgrad
