#include "kernels/gather/gather.h"

#include "core/autograd.h"
#include "kernels/copy/copy.h"
#include "kernels/index/checked_index.h"

namespace voxgrad {

Tensor gather(const Tensor& x, int axis, const Tensor& index) {
  check(x && index && index.shape().rank == x.shape().rank, "gather: indices of as many axes as x are wanted, not ", index, " beside ", x);
  const int k = axis_of("gather", x.shape(), axis);
  check(x.shape().with(k, 0) == index.shape().with(k, 0), "gather: indices ", index.shape(), " do not fit ", x, " along axis ", axis);
  const Tensor at = checked_index("gather", index, x.dim(k), x.device());
  const IndexedAxis p = indexed_axis(x.shape(), k, index.dim(k), false);
  const Tensor y = Tensor::empty(index.shape(), x.dtype(), x.device());
  on_device(x.device(), [&](auto on) { gather_axis(on, p, at.view(), x.view(), y.view()); });
  return record({"gather", {{"axis", k}}}, {x}, y, [p, at, shape = x.shape()](const Tensor& gy, Needs) {
    const Tensor gx = Tensor::empty(shape, gy.dtype(), gy.device());
    on_device(gy.device(), [&](auto on) { scatter_add_axis(on, p, at.view(), View{}, gy.view(), gx.view()); });
    return Grads{gx};
  });
}

}  // namespace voxgrad
