#include "core/gradient_check.h"

#include <cmath>

#include "core/autograd.h"
#include "core/rng.h"

namespace voxgrad {
namespace {
double dot(const std::vector<double>& a, const std::vector<double>& b) {
  double s = 0;
  for (size_t i = 0; i < a.size(); ++i) s += a[i] * b[i];
  return s;
}
}  // namespace

double detail::worse(double a, double b) { return std::isnan(a) || b <= a ? a : b; }

Tensor detail::random_like(const Tensor& t, DType dtype, uint64_t seed) {
  Rng rng(seed);
  std::vector<double> v(size_t(t.count()));
  for (auto& x : v) x = rng.uniform(-1, 1);
  return Tensor::from(v, t.shape(), dtype);
}

double gradient_error(const std::function<Tensor(const std::vector<Tensor>&)>& f, const std::vector<Tensor>& inputs,
                      const GradientCheck& o) {
  bool chosen = false;
  for (const Tensor& t : inputs) chosen = chosen || t.requires_grad();
  std::vector<Tensor> in, leaves;
  for (const Tensor& t : inputs) {
    const bool floating = t && is_floating(t.dtype());
    in.push_back(floating ? t.detach().to(Device{}).to(DType::f64) : t.detach().to(Device{}));
    leaves.push_back(in.back());
    if (floating && (!chosen || t.requires_grad())) leaves.back() = in.back().detach().require_grad();
  }
  const Tensor y = f(leaves);
  const Tensor cotangent = detail::random_like(y, DType::f64, o.seed + 1000);
  if (y.requires_grad()) backward(y, cotangent.to(y.dtype()));
  double worst = 0;
  for (size_t k = 0; k < in.size(); ++k) {
    if (!leaves[k].requires_grad()) continue;
    if (!leaves[k].grad()) return NAN;
    const std::vector<double> direction = detail::random_like(in[k], DType::f64, o.seed + 2000 + k).values(), x = in[k].values();
    const auto shifted = [&](double by) {
      Unrecorded quiet;
      std::vector<Tensor> args = in;
      std::vector<double> moved = x;
      for (size_t i = 0; i < x.size(); ++i) moved[i] += by * direction[i];
      args[k] = Tensor::from(moved, in[k].shape(), DType::f64);
      return dot(f(args).values(), cotangent.values());
    };
    const double numeric = (shifted(o.step) - shifted(-o.step)) / (2 * o.step), exact = dot(leaves[k].grad().values(), direction);
    worst = detail::worse(worst, std::abs(numeric - exact) / (std::abs(numeric) + std::abs(exact) + 1e-3));
  }
  return worst;
}

}  // namespace voxgrad
