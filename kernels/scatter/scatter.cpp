#include "kernels/scatter/scatter.h"

#include "core/autograd.h"
#include "kernels/copy/copy.h"
#include "kernels/index/checked_index.h"

namespace voxgrad {
namespace {

struct Scatter {
  int axis;
  Tensor index;
  IndexedAxis p;
};
Scatter scatter_of(const char* op, const Tensor& x, int axis, const Tensor& index, const Tensor& src) {
  check(x && src && src.dtype() == x.dtype() && src.device() == x.device() && src.shape().rank == x.shape().rank, op, ": ", src.info(),
        " does not fit ", x.info());
  const int k = axis_of(op, x.shape(), axis);
  check(index && index.shape() == src.shape() && src.shape().with(k, 0) == x.shape().with(k, 0), op, ": indices ", index, " and elements ",
        src, " do not fit ", x, " along axis ", axis);
  return {k, checked_index(op, index, x.dim(k), x.device()), indexed_axis(x.shape(), k, src.dim(k), false)};
}

}  // namespace

Tensor scatter(const Tensor& x, int axis, const Tensor& index, const Tensor& src) {
  const Scatter s = scatter_of("scatter", x, axis, index, src);
  const Tensor y = Tensor::empty_like(x), writer = Tensor::empty(x.shape(), DType::i64, x.device());
  on_device(x.device(), [&](auto on) {
    last_writers(on, s.p, s.index.view(), writer.view());
    overwrite(on, s.p, writer.view(), x.view(), src.view(), y.view());
  });
  return record({"scatter", {{"axis", s.axis}}}, {x, src}, y, [s, writer, shape = src.shape()](const Tensor& gy, Needs needs) {
    Grads g(2);
    on_device(gy.device(), [&](auto on) {
      if (needs[0]) {
        g[0] = Tensor::empty_like(gy);
        overwrite(on, s.p, writer.view(), gy.view(), View{}, g[0].view());
      }
      if (needs[1]) {
        g[1] = Tensor::empty(shape, gy.dtype(), gy.device());
        gather_written(on, s.p, s.index.view(), writer.view(), gy.view(), g[1].view());
      }
    });
    return g;
  });
}

Tensor scatter_add(const Tensor& x, int axis, const Tensor& index, const Tensor& src) {
  check(x && is_floating(x.dtype()), "scatter_add: a floating tensor is wanted, not ", x);
  const Scatter s = scatter_of("scatter_add", x, axis, index, src);
  const Tensor y = Tensor::empty_like(x);
  on_device(x.device(), [&](auto on) { scatter_add_axis(on, s.p, s.index.view(), x.view(), src.view(), y.view()); });
  return record({"scatter_add", {{"axis", s.axis}}}, {x, src}, y, [s, shape = src.shape()](const Tensor& gy, Needs needs) {
    Grads g(2);
    if (needs[0]) g[0] = gy;
    if (needs[1]) {
      g[1] = Tensor::empty(shape, gy.dtype(), gy.device());
      on_device(gy.device(), [&](auto on) { gather_axis(on, s.p, s.index.view(), gy.view(), g[1].view()); });
    }
    return g;
  });
}

}  // namespace voxgrad
