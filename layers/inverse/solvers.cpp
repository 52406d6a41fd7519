#include "layers/inverse/solvers.h"

#include <cmath>
#include <limits>

#include "core/autograd.h"
#include "kernels/binary/binary.h"
#include "kernels/complex/complex.h"
#include "kernels/differences/differences.h"
#include "kernels/random/random.h"

namespace voxgrad {
namespace {

constexpr double kMost = std::numeric_limits<float>::max();

// 1 / x, and 0 where x is 0 but for rounding.
Tensor reciprocal_or_zero(const Tensor& x, double largest) {
  std::vector<double> v = x.values();
  for (double& a : v) a = a > 1e-6 * largest ? 1 / a : 0;
  return Tensor::from(v, x.shape(), x.dtype(), x.device());
}

double largest_of(const Tensor& x) {
  double most = 0;
  for (double v : x.values()) most = std::fmax(most, v);
  return most;
}

}  // namespace

Tensor cgls(const LinearMap& a, const Tensor& y, const CglsOptions& o) {
  check(o.iterations >= 1 && o.regularization >= 0, "cgls: ", o.iterations, " iterations with a regularization of ", o.regularization);
  const Unrecorded quiet;
  Tensor residual = y, s = a.adjoint(y);
  Tensor x = Tensor::zeros(s.shape(), s.dtype(), s.device()), p = s;
  double gamma = inner_product(s, s);
  const double least = gamma * o.tolerance * o.tolerance;
  for (int i = 0; i < o.iterations && gamma > least; ++i) {
    const Tensor q = a.forward(p);
    const double alpha = gamma / (inner_product(q, q) + o.regularization * inner_product(p, p));
    x = x + p * alpha;
    residual = residual - q * alpha;
    s = a.adjoint(residual) - x * o.regularization;
    const double before = gamma;
    gamma = inner_product(s, s);
    p = s + p * (gamma / before);
  }
  return x;
}

Tensor sirt(const LinearMap& a, const Tensor& y, const SirtOptions& o) {
  check(o.iterations >= 1 && o.relaxation > 0 && o.relaxation < 2, "sirt: ", o.iterations, " iterations with a relaxation of ",
        o.relaxation, ", one between 0 and 2 is wanted");
  const Unrecorded quiet;
  const Tensor columns = a.adjoint(Tensor::full(y.shape(), 1, y.dtype(), y.device()));
  const Tensor rows = a.forward(Tensor::full(columns.shape(), 1, y.dtype(), y.device()));
  const Tensor r = reciprocal_or_zero(rows, largest_of(rows)), c = reciprocal_or_zero(columns, largest_of(columns)) * o.relaxation;
  Tensor x = Tensor::zeros(columns.shape(), y.dtype(), y.device());
  for (int i = 0; i < o.iterations; ++i) {
    x = x + c * a.adjoint(r * (y - a.forward(x)));
    if (o.non_negative) x = clamp(x, 0, kMost);
  }
  return x;
}

Tensor total_variation(const LinearMap& a, const Tensor& given, const TotalVariationOptions& o) {
  check(o.iterations >= 1 && o.weight > 0, "total_variation: ", o.iterations, " iterations with a weight of ", o.weight);
  const Unrecorded quiet;
  const Tensor back = a.adjoint(given);
  const double norm = norm_of(a, rand(back.shape(), Rng(1), {.dtype = back.dtype(), .device = back.device()}));
  check(norm > 0, "total_variation: the measurement is 0 for every image");
  // A / |A| and y / |A|. The gradient has a norm below 2 sqrt(axes).
  const double inverse = 1 / norm, step = 1 / std::sqrt(1 + 4.0 * o.axes);
  const Tensor y = given * inverse;
  Tensor x = Tensor::zeros(back.shape(), back.dtype(), back.device()), ahead = x;
  Tensor dual = Tensor::zeros(y.shape(), y.dtype(), y.device());
  Tensor slope = Tensor::zeros(x.shape().with(4, x.dim(4) * o.axes), x.dtype(), x.device());
  for (int i = 0; i < o.iterations; ++i) {
    dual = (dual + (a.forward(ahead) * inverse - y) * step) * (1 / (1 + step));
    slope = slope + differences(ahead, o.axes) * step;
    slope = slope / clamp(root_sum_of_squares(slope) * (1 / o.weight), 1, kMost);
    Tensor next = x - (a.adjoint(dual) * inverse + differences_adjoint(slope, o.axes)) * step;
    if (o.non_negative) next = clamp(next, 0, kMost);
    ahead = next * 2 - x;
    x = next;
  }
  return x;
}

}  // namespace voxgrad
