#include "kernels/sort/sort.h"

#include "core/autograd.h"
#include "kernels/copy/copy.h"
#include "kernels/index/checked_index.h"
#include "kernels/sort/sort_kernels.h"

namespace voxgrad {
namespace {

Sorted first_of(const Op& op, const Tensor& x, int k, int64_t count, bool descending) {
  const IndexedAxis p = indexed_axis(x.shape(), k, count, false);
  const SortedAxis axis = {p.outer, p.extent, p.inner, descending};
  const Shape s = x.shape().with(k, count);
  const Tensor at = Tensor::empty(s, DType::i64, x.device()), y = Tensor::empty(s, x.dtype(), x.device());
  if (at.count() > 0)
    on_device(x.device(), [&](auto on) {
      if (count == p.extent) argsort(on, axis, x.view(), at.view());
      else argsort_first(on, axis, count, x.view(), at.view());
      gather_axis(on, p, at.view(), x.view(), y.view());
    });
  const auto outputs = record(op, {x}, std::vector<Tensor>{y, at}, [p, at = at.detach(), shape = x.shape()](const Grads& g, Needs) {
    const Tensor gx = Tensor::empty(shape, g[0].dtype(), g[0].device());
    on_device(gx.device(), [&](auto on) { scatter_add_axis(on, p, at.view(), View{}, g[0].view(), gx.view()); });
    return Grads{gx};
  });
  return {outputs[0], outputs[1]};
}

}  // namespace

Sorted sort(const Tensor& x, const SortOptions& o) {
  check(bool(x), "sort: a tensor is wanted, not ", x);
  const int k = axis_of("sort", x.shape(), o.axis);
  return first_of({"sort", {{"axis", k}, {"descending", o.descending}}}, x, k, x.dim(k), o.descending);
}

Sorted topk(const Tensor& x, int64_t count, const TopkOptions& o) {
  check(bool(x), "topk: a tensor is wanted, not ", x);
  const int k = axis_of("topk", x.shape(), o.axis);
  check(count >= 0 && count <= x.dim(k), "topk: ", count, " elements of axis ", o.axis, " of ", x, ", which has ", x.dim(k));
  return first_of({"topk", {{"axis", k}, {"count", count}, {"smallest", o.smallest}}}, x, k, count, !o.smallest);
}

}  // namespace voxgrad
