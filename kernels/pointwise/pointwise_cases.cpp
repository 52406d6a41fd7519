#include "kernels/pointwise/pointwise.h"

#include "tests/op_case.h"

using namespace voxgrad;

OP_CASES(pointwise) {
  const Shape s = {2, 3, 5, 4, 3};
  const int64_t bytes = s.count() * 4;
  using Run = Tensor (*)(const Tensor&);
  const auto add = [&](const char* name, Run f, double low, double high, int64_t saved) {
    cases.push_back({.op = "pointwise", .name = name, .inputs = {{.shape = s, .low = low, .high = high}},
                     .run = [f](const Tensors& in) { return f(in[0]); }, .saved_bytes = saved});
  };
  add("relu", relu, -1, 1, bytes);
  add("leaky_relu", [](const Tensor& x) { return leaky_relu(x, 0.01); }, -1, 1, bytes);
  add("elu", [](const Tensor& x) { return elu(x, 0.7); }, -2, 2, bytes);
  add("gelu", gelu, -3, 3, bytes);
  add("sigmoid", sigmoid, -4, 4, bytes);
  add("silu", silu, -4, 4, bytes);
  add("softplus", softplus, -4, 4, bytes);
  add("tanh", voxgrad::tanh, -2, 2, bytes);
  add("exp", voxgrad::exp, -2, 2, bytes);
  add("log", voxgrad::log, 0.5, 3, bytes);
  add("sqrt", voxgrad::sqrt, 0.5, 3, bytes);
  add("square", square, -2, 2, bytes);
  add("abs", voxgrad::abs, -2, 2, bytes);
  add("clamp", [](const Tensor& x) { return clamp(x, -0.5, 0.75); }, -1, 1, bytes);
  add("power", [](const Tensor& x) { return power(x, 1.7); }, 0.5, 2, bytes);
  add("affine", [](const Tensor& x) { return affine(x, -1.5, 0.25); }, -1, 1, 0);
  rejects.push_back({"pointwise", "an integer tensor", [] { relu(Tensor::zeros({2}, DType::u8)); }, {"relu", "floating", "u8"}});
  rejects.push_back({"pointwise", "clamp upside down", [] { clamp(Tensor::zeros({2}), 1, 0); }, {"clamp", "1", "0"}});
}
