#include "kernels/pointwise/pointwise.h"

#include <algorithm>
#include <cmath>
#include <complex>

#include "tests/op_case.h"

using namespace voxgrad;

OP_CASES(pointwise) {
  const Shape s = {2, 3, 5, 4, 3};
  const int64_t bytes = s.count() * 4;
  using Run = std::function<Tensor(const Tensor&)>;
  const auto add = [&](const char* name, Run f, std::function<double(double)> formula, double low, double high, int64_t saved) {
    cases.push_back({.op = "pointwise", .name = name, .inputs = {{.shape = s, .low = low, .high = high}},
                     .run = [f](const Tensors& in) { return f(in[0]); }, .reference = elementwise(formula), .saved_bytes = saved});
  };
  const auto sigma = [](double x) { return 1 / (1 + std::exp(-x)); };
  add("relu", relu, [](double x) { return std::max(x, 0.0); }, -1, 1, bytes);
  add("leaky_relu", [](const Tensor& x) { return leaky_relu(x, 0.01); }, [](double x) { return std::max(x, x / 100); }, -1, 1, bytes);
  add("elu", [](const Tensor& x) { return elu(x, 0.7); }, [](double x) { return x > 0 ? x : 0.7 * std::exp(x) - 0.7; }, -2, 2, bytes);
  add("gelu", gelu, [](double x) { return x * std::erfc(-x / std::sqrt(2)) / 2; }, -3, 3, bytes);
  add("sigmoid", sigmoid, sigma, -4, 4, bytes);
  add("silu", silu, [=](double x) { return x * sigma(x); }, -4, 4, bytes);
  add("softplus", softplus, [](double x) { return std::log(1 + std::exp(x)); }, -4, 4, bytes);
  add("tanh", voxgrad::tanh, [=](double x) { return 2 * sigma(2 * x) - 1; }, -2, 2, bytes);
  add("exp", voxgrad::exp, [](double x) { return 1 / std::exp(-x); }, -2, 2, bytes);
  add("log", voxgrad::log, [](double x) { return std::log2(x) / std::log2(std::exp(1)); }, 0.5, 3, bytes);
  add("sqrt", voxgrad::sqrt, [](double x) { return std::pow(x, 0.5); }, 0.5, 3, bytes);
  add("square", square, [](double x) { return x * x; }, -2, 2, bytes);
  add("abs", voxgrad::abs, [](double x) { return std::max(x, -x); }, -2, 2, bytes);
  add("clamp", [](const Tensor& x) { return clamp(x, -0.3, 0.7); }, [](double x) { return std::clamp(x, -0.3, 0.7); }, -1, 1, bytes);
  add("power", [](const Tensor& x) { return power(x, 1.7); }, [](double x) { return std::exp(1.7 * std::log(x)); }, 0.5, 2, bytes);
  for (const double e : {2.0, 0.5, -0.5, -1.0, 3.0})
    add(e == 2 ? "power 2" : e == 0.5 ? "power 1/2" : e == -0.5 ? "power -1/2" : e == -1 ? "power -1" : "power 3",
        [e](const Tensor& x) { return power(x, e); }, [e](double x) { return std::exp(e * std::log(x)); }, 0.5, 2, bytes);
  add("affine", [](const Tensor& x) { return affine(x, -1.5, 0.25); }, [](double x) { return 0.25 - 1.5 * x; }, -1, 1, 0);
  add("gelu_tanh", gelu_tanh, [=](double x) { return x * sigma(2 * std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)); }, -4, 4, bytes);
  add("hard_sigmoid", hard_sigmoid, [](double x) { return std::clamp((x + 3) / 6, 0.0, 1.0); }, -5, 5, bytes);
  add("hard_swish", hard_swish, [](double x) { return x * std::clamp((x + 3) / 6, 0.0, 1.0); }, -5, 5, bytes);
  add("mish", mish, [](double x) { return x * std::tanh(std::log(1 + std::exp(x))); }, -5, 5, bytes);
  add("mish of large numbers", mish, [](double x) { return x * std::tanh(std::log(1 + std::exp(x))); }, -90, 90, bytes);
  add("erf", voxgrad::erf, [](double x) { return 1 - std::erfc(x); }, -3, 3, bytes);
  add("log1p", voxgrad::log1p, [](double x) { return std::log(1 + x); }, -0.5, 3, bytes);
  add("log1p of small numbers", voxgrad::log1p, [](double x) { return x - x * x / 2 + x * x * x / 3; }, -1e-6, 1e-6, bytes);
  cases.back().dtypes = {DType::f32, DType::bf16};  // f16 holds them with few digits
  add("expm1", voxgrad::expm1, [](double x) { return std::exp(x) - 1; }, -2, 2, bytes);
  add("expm1 of small numbers", voxgrad::expm1, [](double x) { return x + x * x / 2 + x * x * x / 6; }, -1e-6, 1e-6, bytes);
  cases.back().dtypes = {DType::f32, DType::bf16};  // f16 holds them with few digits
  add("sin", voxgrad::sin, [](double x) { return std::imag(std::polar(1.0, x)); }, -7, 7, bytes);
  add("cos", voxgrad::cos, [](double x) { return std::real(std::polar(1.0, x)); }, -7, 7, bytes);
  add("reciprocal", reciprocal, [](double x) { return std::pow(x, -1); }, 0.5, 3, bytes);
  add("rsqrt", rsqrt, [](double x) { return std::pow(x, -0.5); }, 0.5, 3, bytes);
  add("sign", sign, [](double x) { return x / std::sqrt(x * x); }, -2, 2, 0);
  add("floor", voxgrad::floor, [](double x) { return x - std::fmod(x + 8, 1); }, -3, 3, 0);
  add("ceil", voxgrad::ceil, [](double x) { return -std::floor(-x); }, -3, 3, 0);
  add("round", voxgrad::round, [](double x) { return std::floor(x + 0.5); }, -3, 3, 0);
  rejects.push_back({"pointwise", "an integer tensor", [] { relu(Tensor::zeros({2}, DType::u8)); }, {"relu", "floating", "u8"}});
  rejects.push_back({"pointwise", "clamp upside down", [] { clamp(Tensor::zeros({2}), 1, 0); }, {"clamp", "1", "0"}});
}
