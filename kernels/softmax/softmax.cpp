#include "kernels/softmax/softmax.h"

#include "core/autograd.h"
#include "kernels/softmax/softmax_kernels.h"

namespace voxgrad {
namespace {

Tensor softmax_of(const char* op, const Tensor& x, bool logarithm) {
  check(x && is_floating(x.dtype()) && x.shape().rank >= 1 && x.dim(-1) > 0, op, ": a floating tensor {.., K} is wanted, not ", x);
  const SoftmaxProblem p = {x.count() / x.dim(-1), x.dim(-1), logarithm};
  Tensor y = Tensor::empty_like(x);
  on_device(x.device(), [&](auto on) { softmax_forward(on, p, x.view(), y.view()); });
  return record(op, {x}, y, [p, y = y.detach()](const Tensor& gy, Needs) {
    Tensor gx = Tensor::empty_like(gy);
    on_device(gy.device(), [&](auto on) { softmax_backward(on, p, y.view(), gy.view(), gx.view()); });
    return Grads{gx};
  });
}

}  // namespace

Tensor softmax(const Tensor& x) { return softmax_of("softmax", x, false); }
Tensor log_softmax(const Tensor& x) { return softmax_of("log_softmax", x, true); }

}  // namespace voxgrad
