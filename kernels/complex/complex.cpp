#include "kernels/complex/complex.h"

#include "core/autograd.h"
#include "kernels/complex/complex_kernels.h"

namespace voxgrad {
namespace {

bool is_real_type(const Tensor& x) { return x && (x.dtype() == DType::f32 || x.dtype() == DType::f64) && x.shape().rank >= 1; }

ComplexProblem complex_problem(const char* op, const Tensor& a, const Tensor& b) {
  check(is_real_type(a) && is_real_type(b) && a.dtype() == b.dtype() && a.device() == b.device(), op,
        ": two tensors f32 or f64 of pairs are wanted, not ", a, " and ", b);
  check(a.dim(-1) % 2 == 0 && b.dim(-1) % 2 == 0 && a.dim(-1) > 0 && b.dim(-1) > 0, op, ": the last axes of ", a, " and ", b,
        " are no pairs of real and imaginary parts");
  check(a.shape().with(-1, 2) == b.shape().with(-1, 2) && (a.dim(-1) == b.dim(-1) || a.dim(-1) == 2 || b.dim(-1) == 2), op, ": ", a,
        " does not go with ", b);
  return {a.count() / a.dim(-1), a.dim(-1) / 2, b.dim(-1) / 2, false};
}

Tensor products(ComplexProblem p, bool conjugate, const Tensor& a, const Tensor& b) {
  p.conjugate = conjugate;
  const Tensor y = Tensor::empty(a.shape().with(-1, 2 * p.parts()), a.dtype(), a.device());
  if (y.count()) on_device(y.device(), [&](auto on) { complex_products(on, p, a.view(), b.view(), y.view()); });
  return y;
}

Tensor sums(ComplexProblem p, bool conjugate, const Tensor& a, const Tensor& b) {
  p.conjugate = conjugate;
  const Tensor y = Tensor::empty(a.shape().with(-1, 2), a.dtype(), a.device());
  if (y.count()) on_device(y.device(), [&](auto on) { complex_sums(on, p, a.view(), b.view(), y.view()); });
  return y;
}

// a' b, or its sum where the wanted gradient has one part and the product several.
Tensor product_for(int64_t parts, bool conjugate, const Tensor& a, const Tensor& b) {
  const ComplexProblem p{a.count() / a.dim(-1), a.dim(-1) / 2, b.dim(-1) / 2, false};
  return parts < p.parts() ? sums(p, conjugate, a, b) : products(p, conjugate, a, b);
}

}  // namespace

Tensor complex_mul(const Tensor& a, const Tensor& b, const ComplexMulOptions& o) {
  const ComplexProblem p = complex_problem("complex_mul", a, b);
  const Tensor saved_b = a.requires_grad() ? b.detach() : Tensor(), saved_a = b.requires_grad() ? a.detach() : Tensor();
  const bool conjugate = o.conjugate;
  return record({"complex_mul", {{"conjugate", conjugate}}}, {a, b}, products(p, conjugate, a, b),
                [p, conjugate, saved_a, saved_b](const Tensor& g, Needs needs) {
                  Grads out(2);
                  // y = a b: conj(b) g. y = conj(a) b: conj(g) b.
                  if (needs[0]) out[0] = conjugate ? product_for(p.a_parts, true, g, saved_b) : product_for(p.a_parts, true, saved_b, g);
                  if (needs[1]) out[1] = product_for(p.b_parts, !conjugate, saved_a, g);
                  return out;
                });
}

Tensor complex_dot(const Tensor& a, const Tensor& b) {
  const ComplexProblem p = complex_problem("complex_dot", a, b);
  check(p.a_parts == p.b_parts, "complex_dot: ", a, " and ", b, " have not as many components");
  const Tensor saved_b = a.requires_grad() ? b.detach() : Tensor(), saved_a = b.requires_grad() ? a.detach() : Tensor();
  return record("complex_dot", {a, b}, sums(p, true, a, b), [p, saved_a, saved_b](const Tensor& g, Needs needs) {
    Grads out(2);
    if (needs[0]) out[0] = product_for(p.a_parts, true, g, saved_b);
    if (needs[1]) out[1] = product_for(p.b_parts, false, saved_a, g);
    return out;
  });
}

Tensor root_sum_of_squares(const Tensor& x) {
  check(is_real_type(x) && x.dim(-1) > 0, "root_sum_of_squares: a tensor f32 or f64 is wanted, not ", x);
  const int64_t columns = x.dim(-1), rows = x.count() / columns;
  const Tensor y = Tensor::empty(x.shape().with(-1, 1), x.dtype(), x.device());
  if (rows) on_device(x.device(), [&](auto on) { row_norms(on, rows, columns, x.view(), y.view()); });
  return record("root_sum_of_squares", {x}, y, [rows, columns, x = x.detach(), y = y.detach()](const Tensor& g, Needs) {
    const Tensor gx = Tensor::empty_like(x);
    if (rows) on_device(x.device(), [&](auto on) { row_norms_gradient(on, rows, columns, x.view(), y.view(), g.view(), gx.view()); });
    return Grads{gx};
  });
}

}  // namespace voxgrad
