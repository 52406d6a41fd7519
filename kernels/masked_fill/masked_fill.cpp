#include "kernels/masked_fill/masked_fill.h"

#include "core/autograd.h"
#include "core/device/parallel.h"
#include "kernels/expand/expand.h"
#include "kernels/masked_fill/masked_fill_kernels.h"

namespace voxgrad {

void masked_fill(Cpu, int64_t n, View mask_view, View value, View x_view, View y_view) {
  const uint8_t* mask = mask_view.as<uint8_t>();
  on_element_size(y_view.dtype, [&]<class E>() {
    const E *x = x_view.as<E>(), filler = *value.as<E>();
    E* y = y_view.as<E>();
    parallel_ranges(n, 1 << 15, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) y[i] = mask[i] ? filler : x[i];
    });
  });
}

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
