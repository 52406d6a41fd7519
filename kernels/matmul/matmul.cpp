#include "kernels/matmul/matmul.h"

#include "core/autograd.h"
#include "kernels/matmul/gemm_kernels.h"
#include "kernels/reduce/reduce.h"

namespace voxgrad {
namespace {

// op(a) op(b) + bias in the accumulation type, as `t`. Not recorded.
Tensor product(const Gemm& p, const Tensor& a, const Tensor& b, const Tensor& bias, const Shape& s, DType t) {
  const DType wide = accum_of(t);
  const Tensor left = a.detach().to(wide), right = b.detach().to(wide), row = bias.detach().to(wide);
  Tensor c = Tensor::empty(s, wide, a.device());
  on_device(a.device(), [&](auto on) { gemm(on, p, left.view(), right.view(), row.view(), c.view()); });
  return c.to(t);
}

}  // namespace

Tensor matmul(const Tensor& a, const Tensor& b, const MatmulOptions& o) {
  check(a && b && is_floating(a.dtype()) && a.dtype() == b.dtype() && a.device() == b.device(),
        "matmul: two floating tensors of one dtype and device are wanted, not ", a, " and ", b);
  const int rank = a.shape().rank;
  check((rank == 2 || rank == 3) && b.shape().rank == rank && (rank == 2 || a.dim(0) == b.dim(0)),
        "matmul: two matrices or two batches of equally many matrices are wanted, not ", a, " and ", b);
  const Gemm p{.batch = rank == 3 ? a.dim(0) : 1, .m = a.dim(o.transpose_a ? -1 : -2), .n = b.dim(o.transpose_b ? -2 : -1),
               .k = a.dim(o.transpose_a ? -2 : -1), .transpose_a = o.transpose_a, .transpose_b = o.transpose_b};
  check(b.dim(o.transpose_b ? -1 : -2) == p.k, "matmul: ", a, o.transpose_a ? " transposed" : "", " times ", b,
        o.transpose_b ? " transposed" : "", ": the inner extents differ");
  const Shape s = a.shape().with(rank - 2, p.m).with(rank - 1, p.n);
  const Tensor saved_a = b.requires_grad() ? a.detach() : Tensor{}, saved_b = a.requires_grad() ? b.detach() : Tensor{};
  return record("matmul", {a, b}, product(p, a, b, {}, s, a.dtype()),
                [p, saved_a, saved_b, shape_a = a.shape(), shape_b = b.shape()](const Tensor& g, Needs needs) {
    // c = op(a) op(b): the gradients of op(a) and op(b) are g op(b)' and op(a)' g; of a transposed operand, their transposes.
    Tensor ga, gb;
    if (needs[0]) {
      const Gemm q =
          p.transpose_a ? Gemm{p.batch, p.k, p.m, p.n, p.transpose_b, true} : Gemm{p.batch, p.m, p.k, p.n, false, !p.transpose_b};
      ga = p.transpose_a ? product(q, saved_b, g, {}, shape_a, g.dtype()) : product(q, g, saved_b, {}, shape_a, g.dtype());
    }
    if (needs[1]) {
      const Gemm q =
          p.transpose_b ? Gemm{p.batch, p.n, p.k, p.m, true, p.transpose_a} : Gemm{p.batch, p.k, p.n, p.m, !p.transpose_a, false};
      gb = p.transpose_b ? product(q, g, saved_a, {}, shape_b, g.dtype()) : product(q, saved_a, g, {}, shape_b, g.dtype());
    }
    return Grads{ga, gb};
  });
}

Tensor linear(const Tensor& x, const Tensor& w, const Tensor& b) {
  check(x && is_floating(x.dtype()) && x.shape().rank >= 1, "linear: a floating tensor {.., C} is wanted, not ", x);
  const DType t = x.dtype(), wide = accum_of(t);
  check(w && w.shape().rank == 2 && w.dim(1) == x.dim(-1) && w.dtype() == wide && w.device() == x.device(), "linear: weights ", w,
        " do not go with ", x, "; ", name_of(wide), " {K, ", x.dim(-1), "} on ", x.device(), " is wanted");
  check(!b || (b.shape() == Shape{w.dim(0)} && b.dtype() == wide && b.device() == x.device()), "linear: the bias ", b,
        " does not go with the weights ", w);
  const int64_t rows = x.shape().count(0, x.shape().rank - 1), c = w.dim(1), k = w.dim(0);
  const Shape s = x.shape().with(x.shape().rank - 1, k);
  const Tensor saved_x = w.requires_grad() ? x.detach() : Tensor{}, saved_w = x.requires_grad() ? w.detach() : Tensor{};
  return record("linear", {x, w, b}, product({1, rows, k, c, false, true}, x, w, b, s, t),
                [rows, c, k, t, wide, saved_x, saved_w, shape = x.shape()](const Tensor& g, Needs needs) {
    Tensor gx, gw, gb;
    if (needs[0]) gx = product({1, rows, c, k, false, false}, g, saved_w, {}, shape, t);
    if (needs[1]) gw = product({1, k, c, rows, true, false}, g.to(wide), saved_x, {}, {k, c}, wide);
    if (needs[2]) gb = sum(g.reshape({rows, k}), {0});
    return Grads{gx, gw, gb};
  });
}

}  // namespace voxgrad
