#include "kernels/flip/flip.h"

#include "core/autograd.h"
#include "kernels/copy/copy.h"

namespace voxgrad {
namespace {
Tensor flipped(const Tensor& x, uint64_t axes) {
  Tensor y = Tensor::empty_like(x);
  StridedCopy p = dense_copy(x.shape(), x.shape(), x.shape());
  for (int k = 0; k < p.rank; ++k)
    if (axes >> k & 1) p.from_offset += (p.extent[k] - 1) * p.from_stride[k], p.from_stride[k] = -p.from_stride[k];
  on_device(x.device(), [&](auto on) { strided_copy(on, p, x.view(), y.view()); });
  return y;
}
}  // namespace

Tensor flip(const Tensor& x, const std::vector<int>& axes) {
  check(bool(x), "flip: a tensor is wanted, not ", x);
  uint64_t bits = 0;
  std::vector<int> reversed;
  for (int axis : axes) {
    const int k = axis_of("flip", x.shape(), axis);
    const uint64_t bit = uint64_t(1) << k;
    check(!(bits & bit), "flip: axis ", axis, " of ", x, " is named twice");
    bits |= bit;
    reversed.push_back(k);
  }
  return record({"flip", {{"axes", reversed}}}, {x}, flipped(x, bits),
                [bits](const Tensor& gy, Needs) { return Grads{flipped(gy, bits)}; });
}

}  // namespace voxgrad
