#include "kernels/where/where.h"

#include "core/autograd.h"
#include "kernels/broadcast/broadcast.h"
#include "kernels/where/where_kernels.h"

namespace voxgrad {
namespace {

Tensor choose(const Tensor& condition, const Tensor& a, const Tensor& b, const Shape& s, DType t) {
  const Broadcast walk = broadcast_walk(s, {condition.shape(), a.shape(), b.shape()});
  Tensor y = Tensor::empty(s, t, condition.device());
  on_device(y.device(), [&](auto on) { where(on, walk, condition.view(), a.view(), b.view(), y.view()); });
  return y;
}

Tensor number(const Tensor& beside, double v) {
  check(bool(beside), "where: a tensor is wanted beside the number ", v);
  check_fits("where", v, beside.dtype());
  return Tensor::from({v}, {}, beside.dtype(), beside.device());
}

}  // namespace

Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b) {
  check(condition && condition.dtype() == DType::u8, "where: the condition is ", condition, ", a u8 tensor is wanted");
  check(a && b && a.device() == condition.device() && b.device() == condition.device(), "where: tensors on ", condition.device(),
        " as the condition are wanted, not ", a, " and ", b);
  const Shape s = broadcast_shape("where", condition.shape(), broadcast_shape("where", a.shape(), b.shape()));
  const DType t = broadcast_dtype("where", a, b, s);
  return record("where", {condition, a, b}, choose(condition, a, b, s, t),
                [s, c = condition.detach(), of_a = a.info(), of_b = b.info()](const Tensor& gy, Needs needs) {
    const Tensor none = Tensor::zeros({}, gy.dtype(), gy.device());
    Tensor ga, gb;
    if (needs[1]) ga = sum_to(choose(c, gy, none, s, gy.dtype()), of_a.shape).to(of_a.dtype);
    if (needs[2]) gb = sum_to(choose(c, none, gy, s, gy.dtype()), of_b.shape).to(of_b.dtype);
    return Grads{Tensor{}, ga, gb};
  });
}
Tensor where(const Tensor& condition, const Tensor& a, double b) { return where(condition, a, number(a, b)); }
Tensor where(const Tensor& condition, double a, const Tensor& b) { return where(condition, number(b, a), b); }

}  // namespace voxgrad
