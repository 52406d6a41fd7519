#include "kernels/mse_loss/mse_loss.h"

#include "core/autograd.h"
#include "kernels/mse_loss/mse_loss_kernels.h"

namespace voxgrad {
namespace {

Tensor difference(const char* op, const Tensor& a, const Tensor& b, bool squares) {
  check(a && b && is_floating(a.dtype()) && a.dtype() == b.dtype() && a.shape() == b.shape() && a.count() > 0, op,
        ": two floating tensors of one shape and dtype, with elements, are wanted, not ", a, " and ", b);
  const DifferenceLoss p = {a.count(), squares};
  Tensor y = Tensor::empty({}, accum_of(a.dtype()), a.device());
  on_device(a.device(), [&](auto on) { difference_loss(on, p, a.view(), b.view(), y.view()); });
  return record(op, {a, b}, y, [p, a = a.detach(), b = b.detach()](const Tensor& seed, Needs needs) {
    Tensor ga = needs[0] ? Tensor::empty_like(a) : Tensor{}, gb = needs[1] ? Tensor::empty_like(b) : Tensor{};
    on_device(a.device(), [&](auto on) { difference_loss_backward(on, p, a.view(), b.view(), seed.view(), ga.view(), gb.view()); });
    return Grads{ga, gb};
  });
}

}  // namespace

Tensor mse_loss(const Tensor& a, const Tensor& b) { return difference("mse_loss", a, b, true); }
Tensor l1_loss(const Tensor& a, const Tensor& b) { return difference("l1_loss", a, b, false); }

}  // namespace voxgrad
