#include "kernels/argmax/argmax.h"

#include "core/autograd.h"
#include "core/floating.h"
#include "kernels/argmax/argmax_kernels.h"
#include "kernels/compare/compare.h"
#include "kernels/copy/copy.h"
#include "kernels/where/where.h"

namespace voxgrad {
namespace {

ValuesAndIndices extremes(const char* op, const Tensor& x, int axis, bool smallest, bool values, const IndexOptions& o) {
  check_floating(op, x);
  check(o.dtype == DType::i32 || o.dtype == DType::i64, op, ": indices as ", name_of(o.dtype), ", i64 or i32 is wanted");
  const Shape& s = x.shape();
  const int k = axis_of(op, s, axis);
  check(s[k] > 0, op, ": there is no element along axis ", axis, " of ", x);
  check(o.dtype == DType::i64 || s[k] <= INT32_MAX, op, ": axis ", axis, " of ", x, " is too long for i32");
  Shape result;
  for (int i = 0; i < s.rank; ++i)
    if (o.keep || i != k) result.dims[result.rank++] = i == k ? 1 : s[i];
  const ReduceRuns runs = {s.count(0, k), s[k], s.count(k + 1, s.rank)};
  Tensor best = values ? Tensor::empty(result, x.dtype(), x.device()) : Tensor{};
  Tensor places = Tensor::empty(result, o.dtype, x.device());
  on_device(x.device(), [&](auto on) { extreme_places(on, runs, smallest, x.view(), best.view(), places.view()); });
  if (!values) return {best, places};
  const std::vector<Tensor> outs = record({op, {{"axis", k}, {"keep", o.keep}}}, {x}, std::vector<Tensor>{best, places},
                                          [s, k, places = places.detach()](const Grads& g, Needs) {
    Shape column;
    for (int i = k; i < s.rank; ++i) column.dims[column.rank++] = i == k ? s[i] : 1;
    const Shape kept = s.with(k, 1);
    const Tensor counted = Tensor::arange(s[k], places.dtype(), places.device()).reshape(column);
    return Grads{where(equal(places.reshape(kept), counted), g[0].reshape(kept), 0)};
  });
  return {outs[0], outs[1]};
}

}  // namespace

Tensor argmax(const Tensor& x, int axis, const IndexOptions& o) { return extremes("argmax", x, axis, false, false, o).indices; }
Tensor argmin(const Tensor& x, int axis, const IndexOptions& o) { return extremes("argmin", x, axis, true, false, o).indices; }
ValuesAndIndices max_with_indices(const Tensor& x, int axis, const IndexOptions& o) {
  return extremes("max_with_indices", x, axis, false, true, o);
}
ValuesAndIndices min_with_indices(const Tensor& x, int axis, const IndexOptions& o) {
  return extremes("min_with_indices", x, axis, true, true, o);
}

}  // namespace voxgrad
