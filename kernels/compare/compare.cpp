#include "kernels/compare/compare.h"

#include <limits>

#include "kernels/broadcast/broadcast.h"
#include "kernels/compare/compare_kernels.h"
#include "kernels/pointwise/pointwise.h"

namespace voxgrad {
namespace {

Tensor compared(const char* op, Relation r, const Tensor& a, const Tensor& b) {
  check(a && b && a.device() == b.device(), op, ": two tensors on one device are wanted, not ", a, " and ", b);
  const Shape s = broadcast_shape(op, a.shape(), b.shape());
  const DType t = broadcast_dtype(op, a, b, s);
  const Broadcast walk = broadcast_walk(s, {a.shape(), b.shape()});
  Tensor y = Tensor::empty(s, DType::u8, a.device());
  on_device(a.device(), [&](auto on) { compare(on, r, t, walk, a.view(), b.view(), y.view()); });
  return y;
}

Tensor number(const char* op, const Tensor& a, double b) {
  check(bool(a), op, ": a tensor is wanted");
  const DType t = is_floating(a.dtype()) ? accum_of(a.dtype()) : a.dtype();
  check_fits(op, b, t);
  return Tensor::from({b}, {}, t, a.device());
}

Tensor joined(const char* op, Relation r, const Tensor& a, const Tensor& b) {
  check(a && b && a.dtype() == DType::u8 && b.dtype() == DType::u8, op, ": u8 tensors are wanted, not ", a, " and ", b);
  return compared(op, r, a, b);
}

}  // namespace

Tensor equal(const Tensor& a, const Tensor& b) { return compared("equal", Relation::equal, a, b); }
Tensor not_equal(const Tensor& a, const Tensor& b) { return compared("not_equal", Relation::not_equal, a, b); }
Tensor less(const Tensor& a, const Tensor& b) { return compared("less", Relation::less, a, b); }
Tensor less_equal(const Tensor& a, const Tensor& b) { return compared("less_equal", Relation::less_equal, a, b); }
Tensor greater(const Tensor& a, const Tensor& b) { return compared("greater", Relation::less, b, a); }
Tensor greater_equal(const Tensor& a, const Tensor& b) { return compared("greater_equal", Relation::less_equal, b, a); }

Tensor equal(const Tensor& a, double b) { return equal(a, number("equal", a, b)); }
Tensor not_equal(const Tensor& a, double b) { return not_equal(a, number("not_equal", a, b)); }
Tensor less(const Tensor& a, double b) { return less(a, number("less", a, b)); }
Tensor less_equal(const Tensor& a, double b) { return less_equal(a, number("less_equal", a, b)); }
Tensor greater(const Tensor& a, double b) { return greater(a, number("greater", a, b)); }
Tensor greater_equal(const Tensor& a, double b) { return greater_equal(a, number("greater_equal", a, b)); }

Tensor logical_and(const Tensor& a, const Tensor& b) { return joined("logical_and", Relation::both, a, b); }
Tensor logical_or(const Tensor& a, const Tensor& b) { return joined("logical_or", Relation::either, a, b); }
Tensor logical_not(const Tensor& a) {
  check(a && a.dtype() == DType::u8, "logical_not: a u8 tensor is wanted, not ", a);
  return equal(a, 0);
}

Tensor isnan(const Tensor& x) {
  check(x && is_floating(x.dtype()), "isnan: a floating tensor is wanted, not ", x);
  return compared("isnan", Relation::not_equal, x, x);
}
Tensor isfinite(const Tensor& x) {
  check(x && is_floating(x.dtype()), "isfinite: a floating tensor is wanted, not ", x);
  return less(abs(x.detach()), std::numeric_limits<double>::infinity());
}

}  // namespace voxgrad
