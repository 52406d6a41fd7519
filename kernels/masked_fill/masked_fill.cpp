#include "kernels/masked_fill/masked_fill.h"

#include "core/autograd.h"
#include "kernels/expand/expand.h"
#include "kernels/masked_fill/masked_fill_kernels.h"

namespace voxgrad {

namespace {
Tensor filled(const Tensor& x, const Tensor& mask, double value) {
  const Tensor y = Tensor::empty_like(x), filler = Tensor::scalar(value, x.dtype(), x.device());
  on_device(x.device(), [&](auto on) { masked_fill(on, x.count(), mask.view(), filler.view(), x.view(), y.view()); });
  return y;
}
}  // namespace

Tensor masked_fill(const Tensor& x, const Tensor& mask, double value) {
  check(x && mask && mask.dtype() == DType::u8 && mask.device() == x.device(), "masked_fill: a mask of u8 is wanted, not ", mask.info(),
        " beside ", x.info());
  check_fits("masked_fill", value, x.dtype());
  check(broadcasts_to(mask.shape(), x.shape()), "masked_fill: the mask ", mask, " does not fit ", x,
        ": its extents are those, 1 or absent");
  const Tensor whole = expand(mask.detach(), x.shape()).detach();
  return record({"masked_fill", {{"value", value}}}, {x}, filled(x, whole, value),
                [whole](const Tensor& gy, Needs) { return Grads{filled(gy, whole, 0)}; });
}

}  // namespace voxgrad
