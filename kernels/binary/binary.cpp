#include "kernels/binary/binary.h"

#include "core/autograd.h"
#include "core/floating.h"
#include "kernels/binary/binary_dispatch.h"
#include "kernels/broadcast/broadcast.h"

namespace voxgrad {
namespace {

// How the pair is computed: `outer` times `each` over neighbouring elements of a, or, with outer 0, as a broadcast.
struct Plan {
  Shape shape;
  DType dtype;
  int64_t outer = 0;
  Binary each;
  Broadcast walk;
};

// Matrices {rows, columns} of elements of operand `full`, one behind the other, each beside one row of the other operand.
struct Rows {
  int64_t outer = 0, rows = 0, columns = 0;
};
Rows rows_of(const Broadcast& w, int full) {
  const int64_t *extent = w.extent, *a = w.stride[full], *b = w.stride[1 - full];
  int64_t step = 1;
  for (int k = w.rank - 1; k >= 0; --k) {
    if (a[k] != step) return {};
    step *= extent[k];
  }
  if (w.rank == 1 && b[0] == 0) return {1, extent[0], 1};
  if (w.rank == 2 && b[0] == 0) return {1, extent[0], extent[1]};
  if (w.rank == 2 && b[0] == 1 && b[1] == 0) return {extent[0], extent[1], 1};
  if (w.rank == 3 && b[0] == extent[2] && b[1] == 0 && b[2] == 1) return {extent[0], extent[1], extent[2]};
  return {};
}

Plan plan_of(const char* name, BinaryOp op, const Tensor& a, const Tensor& b) {
  check_floating(name, a);
  check_floating(name, b);
  check(a.device() == b.device(), name, ": the operands are on ", a.device(), " and on ", b.device());
  Plan p{.shape = broadcast_shape(name, a.shape(), b.shape()), .dtype = a.dtype(), .each = {op, a.count()}};
  const bool suits = b.dtype() == a.dtype() || b.dtype() == accum_of(a.dtype());
  const bool scalar = b.count() == 1 && b.shape().rank <= a.shape().rank;
  const bool per_channel = b.shape().rank == 1 && a.shape().rank >= 1 && b.dim(0) == a.dim(-1);
  const bool same = a.shape() == b.shape() && a.dtype() == b.dtype();
  if (same || ((scalar || per_channel) && suits)) {
    p.outer = 1;
    p.each.columns = same ? 0 : b.count();
    return p;
  }
  p.dtype = broadcast_dtype(name, a, b, p.shape);
  p.walk = broadcast_walk(p.shape, {a.shape(), b.shape()});
  constexpr int64_t kWorthCall = 1 << 14;
  const Rows r = rows_of(p.walk, 0);
  if (r.outer > 0 && p.dtype == a.dtype() && (r.outer == 1 || r.rows * r.columns >= kWorthCall)) {
    p.outer = r.outer;
    p.each = {op, r.rows * r.columns, r.columns};
  }
  return p;
}

View from(View v, int64_t element) {
  if (v) v.data = static_cast<char*>(v.data) + element * int64_t(size_of(v.dtype));
  return v;
}

Tensor binary(const char* name, BinaryOp op, const Tensor& a, const Tensor& b) {
  const Plan p = plan_of(name, op, a, b);
  const int64_t columns = p.each.columns, count = p.each.count;
  const Tensor wide = p.outer > 0 && columns > 0 ? b.detach().to(accum_of(p.dtype)) : b.detach();
  Tensor y = Tensor::empty(p.shape, p.dtype, a.device());
  on_device(a.device(), [&](auto on) {
    for (int64_t o = 0; o < p.outer; ++o)
      binary_forward(on, p.each, from(a.view(), o * count), from(wide.view(), o * columns), from(y.view(), o * count));
    if (p.outer == 0) binary_broadcast(on, op, p.walk, a.view(), b.view(), y.view());
  });
  bool keep_a = false, keep_b = false, reads_any = false;
  on_formula(op, [&]<class F>(F) {
    keep_a = (F::kGradAReadsA && a.requires_grad()) || (F::kGradBReadsA && b.requires_grad());
    keep_b = (F::kGradAReadsB && a.requires_grad()) || (F::kGradBReadsB && b.requires_grad());
    reads_any = F::kGradAReadsA || F::kGradAReadsB || F::kGradBReadsA || F::kGradBReadsB;
  });
  const Tensor saved_a = keep_a ? a.detach() : Tensor{}, saved_b = keep_b ? wide : Tensor{};
  return record(name, {a, b}, y, [p, op, reads_any, saved_a, saved_b, of_a = a.info(), of_b = b.info()](const Tensor& gy, Needs needs) {
    Tensor ga, gb;
    const View u = saved_a.view(), v = saved_b.view();
    if (p.outer > 0) {
      const int64_t columns = p.each.columns, count = p.each.count;
      if (needs[0]) ga = Tensor::empty(of_a.shape, of_a.dtype, gy.device());
      if (needs[1]) gb = Tensor::empty(of_b.shape, columns ? accum_of(gy.dtype()) : of_b.dtype, gy.device());
      on_device(gy.device(), [&](auto on) {
        for (int64_t o = 0; o < p.outer; ++o)
          binary_backward(on, p.each, from(u, o * count), from(v, o * columns), from(gy.view(), o * count), from(ga.view(), o * count),
                          from(gb.view(), o * columns));
      });
      return Grads{ga, gb.to(of_b.dtype)};
    }
    const auto gradient = [&](const TensorInfo& of, bool second) {
      if (!reads_any) {  // that of a sum or a difference
        const Tensor sum = sum_to(gy, of.shape).to(of.dtype);
        return second && op == BinaryOp::sub ? affine(sum, -1, 0) : sum;
      }
      Tensor g = Tensor::empty(p.shape, of.shape == p.shape ? of.dtype : accum_of(gy.dtype()), gy.device());
      on_device(gy.device(), [&](auto on) {
        binary_broadcast_backward(on, op, p.walk, u, v, gy.view(), second ? View{} : g.view(), second ? g.view() : View{});
      });
      return sum_to(g, of.shape).to(of.dtype);
    };
    if (needs[0]) ga = gradient(of_a, false);
    if (needs[1]) gb = gradient(of_b, true);
    return Grads{ga, gb};
  });
}

// The operands of an op that commutes, the one of the result's shape first.
Tensor commuting(const char* name, BinaryOp op, const Tensor& a, const Tensor& b) {
  const bool swapped = a && b && a.count() < b.count() && b.shape().rank >= a.shape().rank;
  if (!swapped) return binary(name, op, a, b);
  broadcast_shape(name, a.shape(), b.shape());  // its Error names the operands in the caller's order
  return binary(name, op, b, a);
}

}  // namespace

Tensor add(const Tensor& a, const Tensor& b) { return commuting("add", BinaryOp::add, a, b); }
Tensor sub(const Tensor& a, const Tensor& b) { return binary("sub", BinaryOp::sub, a, b); }
Tensor mul(const Tensor& a, const Tensor& b) { return commuting("mul", BinaryOp::mul, a, b); }
Tensor div(const Tensor& a, const Tensor& b) { return binary("div", BinaryOp::div, a, b); }
Tensor maximum(const Tensor& a, const Tensor& b) { return commuting("maximum", BinaryOp::maximum, a, b); }
Tensor minimum(const Tensor& a, const Tensor& b) { return commuting("minimum", BinaryOp::minimum, a, b); }
Tensor power(const Tensor& a, const Tensor& b) { return binary("power", BinaryOp::power, a, b); }

}  // namespace voxgrad
