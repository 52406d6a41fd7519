#include "kernels/softmax/softmax.h"

#include <algorithm>
#include <numeric>

#include "core/autograd.h"
#include "core/floating.h"
#include "kernels/copy/copy.h"
#include "kernels/permute/permute.h"
#include "kernels/softmax/softmax_kernels.h"

namespace voxgrad {
namespace {

Tensor softmax_of(const char* op, const Tensor& x, int axis, bool logarithm) {
  check_floating(op, x);
  check(x.shape().rank >= 1, op, ": a tensor with axes is wanted, not ", x);
  const int rank = x.shape().rank, k = axis_of(op, x.shape(), axis);
  if (k != rank - 1 && !x.device().is_cpu()) {
    std::vector<int> order(static_cast<size_t>(rank));  // exchanges the axis and the last one, and is its own inverse
    std::iota(order.begin(), order.end(), 0);
    std::swap(order[size_t(k)], order[size_t(rank - 1)]);
    return permute(softmax_of(op, permute(x, order), -1, logarithm), order);
  }
  const int64_t channels = std::max<int64_t>(x.dim(k), 1);
  const SoftmaxProblem p = {x.count() / channels, channels, x.shape().count(k + 1, rank), logarithm};
  Tensor y = Tensor::empty_like(x);
  on_device(x.device(), [&](auto on) { softmax_forward(on, p, x.view(), y.view()); });
  return record({op, {{"axis", k}}}, {x}, y, [p, y = y.detach()](const Tensor& gy, Needs) {
    Tensor gx = Tensor::empty_like(gy);
    on_device(gy.device(), [&](auto on) { softmax_backward(on, p, y.view(), gy.view(), gx.view()); });
    return Grads{gx};
  });
}

}  // namespace

Tensor softmax(const Tensor& x, int axis) { return softmax_of("softmax", x, axis, false); }
Tensor log_softmax(const Tensor& x, int axis) { return softmax_of("log_softmax", x, axis, true); }

}  // namespace voxgrad
