#include "kernels/matmul/matmul.h"

#include "core/autograd.h"
#include "kernels/broadcast/broadcast.h"
#include "kernels/copy/copy.h"
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

// The last two axes of s behind those of the batch.
Shape matrices(Shape batch, const Shape& s) {
  for (int k = -2; k < 0; ++k) batch.dims[batch.rank++] = s[k];
  return batch;
}

// t {batch of t, R, C}, repeated to the batch of the result.
Tensor repeated(const Tensor& t, const Shape& batch) {
  const Shape s = matrices(batch, t.shape());
  if (t.count() == s.count()) return t.detach().reshape(s);
  Tensor y = Tensor::empty(s, t.dtype(), t.device());
  StridedCopy p = dense_copy(s, s, s);
  const Broadcast walk = broadcast_walk(s, {t.shape()});
  p.rank = walk.rank;
  for (int k = 0; k < walk.rank; ++k) {
    p.extent[k] = walk.extent[k];
    p.from_stride[k] = walk.stride[0][k];
    p.into_stride[k] = 1;
    for (int later = k + 1; later < walk.rank; ++later) p.into_stride[k] *= walk.extent[later];
  }
  on_device(t.device(), [&](auto on) { strided_copy(on, p, t.view(), y.view()); });
  return y;
}

Shape batch_of(const Tensor& t) {
  Shape s = t.shape();
  s.dims[--s.rank] = 0;
  s.dims[--s.rank] = 0;
  return s;
}

// Two tensors of rank 2 and more.
Tensor batched(const Tensor& a, const Tensor& b, const MatmulOptions& o) {
  Gemm p{.m = a.dim(o.transpose_a ? -1 : -2), .n = b.dim(o.transpose_b ? -2 : -1), .k = a.dim(o.transpose_a ? -2 : -1),
         .transpose_a = o.transpose_a, .transpose_b = o.transpose_b};
  check(b.dim(o.transpose_b ? -1 : -2) == p.k, "matmul: ", a, o.transpose_a ? " transposed" : "", " times ", b,
        o.transpose_b ? " transposed" : "", ": the inner extents differ");
  const Shape batch = broadcast_shape("matmul: batches", batch_of(a), batch_of(b));
  Shape s = batch;
  s.dims[s.rank++] = p.m;
  s.dims[s.rank++] = p.n;
  if (b.shape().rank == 2 && a.shape().rank > 2 && !o.transpose_a) p.m *= batch.count();  // the batches are rows of one matrix
  else p.batch = batch.count();
  const bool one = p.batch == 1;
  const auto whole = [batch, one](const Tensor& t) { return one || !t ? t : repeated(t, batch); };
  const Tensor saved_a = b.requires_grad() ? a.detach() : Tensor{}, saved_b = a.requires_grad() ? b.detach() : Tensor{};
  const Op op{"matmul", {{"transpose_a", o.transpose_a}, {"transpose_b", o.transpose_b}}};
  return record(op, {a, b}, product(p, whole(a), whole(b), {}, s, a.dtype()),
                [p, whole, batch, one, saved_a, saved_b, shape_a = a.shape(), shape_b = b.shape()](const Tensor& g, Needs needs) {
    // c = op(a) op(b): the gradients of op(a) and op(b) are g op(b)' and op(a)' g; of a transposed operand, their transposes.
    const Tensor a = needs[1] ? whole(saved_a) : Tensor{}, b = needs[0] ? whole(saved_b) : Tensor{};
    const auto shape_of = [&](const Shape& s) { return one ? s : matrices(batch, s); };
    // That of an operand that repeats is summed in f32.
    const auto dtype_of = [&](const Shape& s) { return shape_of(s) == s ? g.dtype() : accum_of(g.dtype()); };
    Tensor ga, gb;
    if (needs[0]) {
      const Shape s = shape_of(shape_a);
      const DType t = dtype_of(shape_a);
      const Gemm q =
          p.transpose_a ? Gemm{p.batch, p.k, p.m, p.n, p.transpose_b, true} : Gemm{p.batch, p.m, p.k, p.n, false, !p.transpose_b};
      ga = sum_to(p.transpose_a ? product(q, b, g, {}, s, t) : product(q, g, b, {}, s, t), shape_a).to(g.dtype());
    }
    if (needs[1]) {
      const Shape s = shape_of(shape_b);
      const DType t = dtype_of(shape_b);
      const Gemm q =
          p.transpose_b ? Gemm{p.batch, p.n, p.k, p.m, true, p.transpose_a} : Gemm{p.batch, p.k, p.n, p.m, !p.transpose_a, false};
      gb = sum_to(p.transpose_b ? product(q, g, a, {}, s, t) : product(q, a, g, {}, s, t), shape_b).to(g.dtype());
    }
    return Grads{ga, gb};
  });
}

}  // namespace

Tensor matmul(const Tensor& a, const Tensor& b, const MatmulOptions& o) {
  check(a && b && is_floating(a.dtype()) && a.dtype() == b.dtype() && a.device() == b.device(),
        "matmul: two floating tensors of one dtype and device are wanted, not ", a, " and ", b);
  const bool row = a.shape().rank == 1, column = b.shape().rank == 1;
  check(a.shape().rank >= 1 && b.shape().rank >= 1, "matmul: matrices or vectors are wanted, not ", a, " and ", b);
  check(!(row && o.transpose_a) && !(column && o.transpose_b), "matmul: a vector cannot be transposed: ", row ? a : b);
  if (!row && !column) return batched(a, b, o);
  check(a.dim(row ? -1 : o.transpose_a ? -2 : -1) == b.dim(column ? -1 : o.transpose_b ? -1 : -2), "matmul: ", a, " times ", b,
        ": the inner extents differ");
  const Tensor y = batched(row ? a.reshape({1, a.dim(0)}) : a, column ? b.reshape({b.dim(0), 1}) : b, o);
  Shape s;
  for (int k = 0; k < y.shape().rank; ++k)
    if (!(row && k == y.shape().rank - 2) && !(column && k == y.shape().rank - 1)) s.dims[s.rank++] = y.dim(k);
  return y.reshape(s);
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
