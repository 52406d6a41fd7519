#include "kernels/cumsum/cumsum.h"

#include "core/autograd.h"
#include "kernels/copy/copy.h"
#include "kernels/cumsum/cumsum_kernels.h"

namespace voxgrad {

Tensor cumsum(const Tensor& x, int axis) {
  check(x && is_floating(x.dtype()), "cumsum: a floating tensor is wanted, not ", x);
  const Shape& s = x.shape();
  const int k = axis_of("cumsum", s, axis);
  const ReduceRuns runs = {s.count(0, k), s[k], s.count(k + 1, s.rank)};
  const auto sums = [runs](const Tensor& of, bool reverse) {
    Tensor y = Tensor::empty_like(of);
    on_device(y.device(), [&](auto on) { cumulative_sum(on, runs, reverse, of.view(), y.view()); });
    return y;
  };
  return record({"cumsum", {{"axis", k}}}, {x}, sums(x, false), [sums](const Tensor& gy, Needs) { return Grads{sums(gy, true)}; });
}

}  // namespace voxgrad
