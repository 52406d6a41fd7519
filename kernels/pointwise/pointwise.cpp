#include "kernels/pointwise/pointwise.h"

#include "core/autograd.h"
#include "core/floating.h"
#include "kernels/pointwise/pointwise_kernels.h"

namespace voxgrad {
namespace {

template <class F>
Tensor pointwise(const Op& op, const Tensor& x, const F& f) {
  check_floating(op.name, x);
  Tensor y = Tensor::empty_like(x);
  on_device(x.device(), [&](auto on) { pointwise_forward(on, f, x.count(), x.view(), y.view()); });
  const Tensor saved_x = F::kSavesX ? x.detach() : Tensor{}, saved_y = F::kSavesY ? y.detach() : Tensor{};
  return record(op, {x}, y, [f, saved_x, saved_y](const Tensor& gy, Needs) {
    Tensor gx = Tensor::empty_like(gy);
    on_device(gy.device(), [&](auto on) { pointwise_backward(on, f, gy.count(), saved_x.view(), saved_y.view(), gy.view(), gx.view()); });
    return Grads{gx};
  });
}

}  // namespace

Tensor relu(const Tensor& x) { return pointwise("relu", x, formula::LeakyRelu(0)); }
Tensor leaky_relu(const Tensor& x, double slope) {
  check(slope >= 0, "leaky_relu: slope ", slope, " is negative");
  return pointwise({"leaky_relu", {{"slope", slope}}}, x, formula::LeakyRelu(slope));
}
Tensor elu(const Tensor& x, double alpha) {
  check(alpha > 0, "elu: alpha ", alpha, " is not positive");
  return pointwise({"elu", {{"alpha", alpha}}}, x, formula::Elu(alpha));
}
Tensor gelu(const Tensor& x) { return pointwise("gelu", x, formula::Gelu{}); }
Tensor gelu_tanh(const Tensor& x) { return pointwise("gelu_tanh", x, formula::GeluTanh{}); }
Tensor sigmoid(const Tensor& x) { return pointwise("sigmoid", x, formula::Sigmoid{}); }
Tensor silu(const Tensor& x) { return pointwise("silu", x, formula::Silu{}); }
Tensor softplus(const Tensor& x) { return pointwise("softplus", x, formula::Softplus{}); }
Tensor tanh(const Tensor& x) { return pointwise("tanh", x, formula::Tanh{}); }
Tensor exp(const Tensor& x) { return pointwise("exp", x, formula::Exp{}); }
Tensor log(const Tensor& x) { return pointwise("log", x, formula::Log{}); }
Tensor sqrt(const Tensor& x) { return pointwise("sqrt", x, formula::Sqrt{}); }
Tensor square(const Tensor& x) { return pointwise("square", x, formula::Square{}); }
Tensor abs(const Tensor& x) { return pointwise("abs", x, formula::Abs{}); }
Tensor clamp(const Tensor& x, double low, double high) {
  check(low <= high, "clamp: low ", low, " is above high ", high);
  return pointwise({"clamp", {{"low", low}, {"high", high}}}, x, formula::Clamp(low, high));
}
Tensor power(const Tensor& x, double exponent) {
  const Op op = {"power", {{"exponent", exponent}}};
  if (exponent == 2) return pointwise(op, x, formula::Square{});
  if (exponent == 0.5) return pointwise(op, x, formula::Sqrt{});
  if (exponent == -0.5) return pointwise(op, x, formula::Rsqrt{});
  if (exponent == -1) return pointwise(op, x, formula::Reciprocal{});
  return pointwise(op, x, formula::Power(exponent));
}
Tensor affine(const Tensor& x, double scale, double shift) {
  return pointwise({"affine", {{"scale", scale}, {"shift", shift}}}, x, formula::Affine(scale, shift));
}
Tensor hard_sigmoid(const Tensor& x) { return pointwise("hard_sigmoid", x, formula::HardSigmoid{}); }
Tensor hard_swish(const Tensor& x) { return pointwise("hard_swish", x, formula::HardSwish{}); }
Tensor mish(const Tensor& x) { return pointwise("mish", x, formula::Mish{}); }
Tensor erf(const Tensor& x) { return pointwise("erf", x, formula::Erf{}); }
Tensor log1p(const Tensor& x) { return pointwise("log1p", x, formula::Log1p{}); }
Tensor expm1(const Tensor& x) { return pointwise("expm1", x, formula::Expm1{}); }
Tensor sin(const Tensor& x) { return pointwise("sin", x, formula::Sin{}); }
Tensor cos(const Tensor& x) { return pointwise("cos", x, formula::Cos{}); }
Tensor reciprocal(const Tensor& x) { return pointwise("reciprocal", x, formula::Reciprocal{}); }
Tensor rsqrt(const Tensor& x) { return pointwise("rsqrt", x, formula::Rsqrt{}); }
Tensor sign(const Tensor& x) { return pointwise("sign", x, formula::Sign{}); }
Tensor floor(const Tensor& x) { return pointwise("floor", x, formula::Floor{}); }
Tensor ceil(const Tensor& x) { return pointwise("ceil", x, formula::Ceil{}); }
Tensor round(const Tensor& x) { return pointwise("round", x, formula::Round{}); }

}  // namespace voxgrad
