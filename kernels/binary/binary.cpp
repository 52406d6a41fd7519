#include "kernels/binary/binary.h"

#include "core/autograd.h"
#include "kernels/binary/binary_dispatch.h"

namespace voxgrad {
namespace {

// How b relates to a: 0 the same shape, else its number of columns.
int64_t columns_of(const char* op, const Tensor& a, const Tensor& b) {
  check(a && b && is_floating(a.dtype()), op, ": floating tensors are wanted, not ", a, " and ", b);
  check(a.device() == b.device(), op, ": the operands are on ", a.device(), " and on ", b.device());
  if (a.shape() == b.shape() && a.dtype() == b.dtype()) return 0;
  const bool scalar = b.count() == 1 && b.shape().rank <= a.shape().rank;
  const bool per_channel = b.shape().rank == 1 && a.shape().rank >= 1 && b.dim(0) == a.dim(-1);
  check((scalar || per_channel) && (b.dtype() == a.dtype() || b.dtype() == accum_of(a.dtype())), op, ": ", b, " does not go with ", a,
        "; the same shape, one element, or {C} for a last axis of C elements is wanted, in ", name_of(a.dtype()), " or ",
        name_of(accum_of(a.dtype())));
  return b.count();
}

Tensor binary(const char* name, BinaryOp op, const Tensor& a, const Tensor& b) {
  const Binary p{op, a.count(), columns_of(name, a, b)};
  const Tensor wide = p.columns ? b.detach().to(accum_of(a.dtype())) : b.detach();
  Tensor y = Tensor::empty_like(a);
  on_device(a.device(), [&](auto on) { binary_forward(on, p, a.view(), wide.view(), y.view()); });
  bool keep_a = false, keep_b = false;
  on_formula(op, [&]<class F>(F) {
    keep_a = (F::kGradAReadsA && a.requires_grad()) || (F::kGradBReadsA && b.requires_grad());
    keep_b = (F::kGradAReadsB && a.requires_grad()) || (F::kGradBReadsB && b.requires_grad());
  });
  const Tensor saved_a = keep_a ? a.detach() : Tensor{}, saved_b = keep_b ? wide : Tensor{};
  return record(name, {a, b}, y, [p, saved_a, saved_b, shape = b.shape(), t = b.dtype()](const Tensor& gy, Needs needs) {
    Tensor ga, gb;
    if (needs[0]) ga = Tensor::empty_like(gy);
    if (needs[1]) gb = Tensor::empty(shape, p.columns ? accum_of(gy.dtype()) : t, gy.device());
    on_device(gy.device(), [&](auto on) { binary_backward(on, p, saved_a.view(), saved_b.view(), gy.view(), ga.view(), gb.view()); });
    return Grads{ga, gb.to(t)};
  });
}

}  // namespace

Tensor add(const Tensor& a, const Tensor& b) { return binary("add", BinaryOp::add, a, b); }
Tensor sub(const Tensor& a, const Tensor& b) { return binary("sub", BinaryOp::sub, a, b); }
Tensor mul(const Tensor& a, const Tensor& b) { return binary("mul", BinaryOp::mul, a, b); }
Tensor div(const Tensor& a, const Tensor& b) { return binary("div", BinaryOp::div, a, b); }
Tensor maximum(const Tensor& a, const Tensor& b) { return binary("maximum", BinaryOp::maximum, a, b); }
Tensor minimum(const Tensor& a, const Tensor& b) { return binary("minimum", BinaryOp::minimum, a, b); }

}  // namespace voxgrad
