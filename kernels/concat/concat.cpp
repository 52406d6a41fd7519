#include "kernels/concat/concat.h"

#include "core/autograd.h"
#include "kernels/concat/concat_kernels.h"
#include "kernels/copy/copy.h"

namespace voxgrad {
namespace {
// The parts, of these extents along the axis, as rows of a tensor of the shape `whole`. Absent tensors give absent parts.
RowParts parts_of(const Shape& whole, int axis, const std::vector<Tensor>& tensors, const std::vector<int64_t>& extents) {
  const int64_t inner = whole.count(axis + 1, whole.rank);
  RowParts p{.rows = whole.count(0, axis), .width = whole[axis] * inner, .count = int(tensors.size())};
  for (size_t i = 0; i < tensors.size(); ++i) p.part[i] = tensors[i].view(), p.part_width[i] = extents[i] * inner;
  return p;
}
}  // namespace

Tensor concat(const std::vector<Tensor>& tensors, int axis) {
  check(!tensors.empty() && tensors.size() <= size_t(RowParts::kMost), "concat: 1 to ", RowParts::kMost, " tensors are wanted, not ",
        tensors.size());
  const Tensor& first = tensors[0];
  check(bool(first), "concat: a tensor is wanted, not ", first);
  const int k = axis_of("concat", first.shape(), axis);
  std::vector<int64_t> extents;
  Shape s = first.shape().with(k, 0);
  for (const Tensor& t : tensors) {
    check(t && t.dtype() == first.dtype() && t.device() == first.device() && t.shape().rank == s.rank &&
              t.shape().with(k, 0) == first.shape().with(k, 0),
          "concat: ", t, " does not fit ", first, " along axis ", axis);
    extents.push_back(t.dim(k));
    s[k] += t.dim(k);
  }
  const Tensor y = Tensor::empty(s, first.dtype(), first.device());
  on_device(y.device(), [&](auto on) { join_rows(on, parts_of(s, k, tensors, extents), y.view()); });
  return record({"concat", {{"axis", k}}}, tensors, y, [k, extents](const Tensor& gy, Needs needs) {
    Grads grads(extents.size());
    for (size_t i = 0; i < grads.size(); ++i)
      if (needs[int(i)]) grads[i] = Tensor::empty(gy.shape().with(k, extents[i]), gy.dtype(), gy.device());
    on_device(gy.device(), [&](auto on) { split_rows(on, parts_of(gy.shape(), k, grads, extents), gy.view()); });
    return grads;
  });
}

}  // namespace voxgrad
