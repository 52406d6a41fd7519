#include "kernels/box_iou/box_iou.h"

#include "core/autograd.h"
#include "kernels/box_iou/box_iou_kernels.h"

namespace voxgrad {
namespace {

void check_boxes(const char* op, const Tensor& a, const Tensor& b) {
  const auto is_list = [](const Tensor& t) {
    return t && t.shape().rank == 2 && t.dim(1) == 6 && (t.dtype() == DType::f32 || t.dtype() == DType::f64);
  };
  check(is_list(a) && is_list(b) && a.dtype() == b.dtype() && a.device() == b.device(), op,
        ": boxes {N, 6} of f32 or f64, both of one dtype and device, are wanted, not ", a, " and ", b);
}

}  // namespace

Tensor box_iou(const Tensor& a, const Tensor& b, const BoxIouOptions& o) {
  check_boxes("box_iou", a, b);
  const BoxIou p = {a.dim(0), b.dim(0), o.generalized};
  Tensor y = Tensor::empty({p.n, p.m}, a.dtype(), a.device());
  on_device(a.device(), [&](auto on) { box_iou(on, p, a.view(), b.view(), y.view()); });
  return y;
}

Tensor giou_loss(const Tensor& a, const Tensor& b) {
  check_boxes("giou_loss", a, b);
  check(a.dim(0) == b.dim(0), "giou_loss: ", a, " and ", b, " are not as many boxes");
  const int64_t n = a.dim(0);
  Tensor y = Tensor::empty({n}, a.dtype(), a.device());
  on_device(a.device(), [&](auto on) { giou_loss(on, n, a.view(), b.view(), y.view()); });
  return record("giou_loss", {a, b}, y, [n, a = a.detach(), b = b.detach()](const Tensor& gy, Needs needs) {
    Tensor ga = needs[0] ? Tensor::empty_like(a) : Tensor{}, gb = needs[1] ? Tensor::empty_like(b) : Tensor{};
    on_device(a.device(), [&](auto on) { giou_loss_backward(on, n, a.view(), b.view(), gy.view(), ga.view(), gb.view()); });
    return Grads{ga, gb};
  });
}

}  // namespace voxgrad
