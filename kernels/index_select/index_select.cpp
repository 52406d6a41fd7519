#include "kernels/index_select/index_select.h"

#include "core/autograd.h"
#include "kernels/copy/copy.h"
#include "kernels/index/checked_index.h"

namespace voxgrad {
namespace {

Tensor selected(const char* op, const Tensor& x, int k, const Tensor& index) {
  const Tensor at = checked_index(op, index, x.dim(k), x.device());
  const IndexedAxis p = indexed_axis(x.shape(), k, at.count(), true);
  const Tensor y = Tensor::empty(x.shape().with(k, at.count()), x.dtype(), x.device());
  on_device(x.device(), [&](auto on) { gather_axis(on, p, at.view(), x.view(), y.view()); });
  return record({op, {{"axis", k}}}, {x}, y, [p, at, shape = x.shape()](const Tensor& gy, Needs) {
    const Tensor gx = Tensor::empty(shape, gy.dtype(), gy.device());
    on_device(gy.device(), [&](auto on) { scatter_add_axis(on, p, at.view(), View{}, gy.view(), gx.view()); });
    return Grads{gx};
  });
}

}  // namespace

Tensor index_select(const Tensor& x, int axis, const Tensor& index) {
  check(x && index && index.shape().rank == 1, "index_select: an index {M} is wanted, not ", index, " beside ", x);
  return selected("index_select", x, axis_of("index_select", x.shape(), axis), index);
}

Tensor embedding(const Tensor& table, const Tensor& index) {
  check(table && table.shape().rank == 2 && index && index.shape().rank < Shape::kMaxRank,
        "embedding: a table {V, C} and indices {..} are wanted, not ", table, " and ", index);
  Shape s = index.shape();
  s.dims[s.rank++] = table.dim(1);
  return selected("embedding", table, 0, index).reshape(s);
}

Tensor take(const Tensor& x, const Tensor& index) {
  check(x && index, "take: a tensor and indices are wanted, not ", x, " and ", index);
  return selected("take", x.reshape({x.count()}), 0, index).reshape(index.shape());
}

}  // namespace voxgrad
