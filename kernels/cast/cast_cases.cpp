#include <algorithm>
#include <cmath>

#include "tests/op_case.h"

using namespace voxgrad;

// Tensor::to(DType) and Tensor::reshape of the core.
OP_CASES(cast) {
  const Reference same = elementwise([](double x) { return x; });
  const Shape s = {2, 3, 5, 4, 3};
  // f64 inputs stay f64 in the gradient check, so that it sees no rounding.
  const auto rounded_to = [](DType t) {
    return [t](const Tensors& in) { return in[0].to(in[0].dtype() == DType::f64 ? DType::f64 : t); };
  };
  for (DType t : {DType::f32, DType::bf16, DType::f16})
    cases.push_back({.op = "cast", .name = std::string("to ") + name_of(t), .inputs = {{s}}, .run = rounded_to(t),
                     .reference = same, .saved_bytes = t == DType::f32 ? -1 : 0});
  cases.push_back({.op = "cast", .name = "to u8", .inputs = {{.shape = s, .low = -20, .high = 280}},
                   .run = [](const Tensors& in) { return in[0].to(DType::u8); },
                   .reference = elementwise([](double x) { return std::clamp(std::nearbyint(x), 0.0, 255.0); }), .differentiable = false});
  cases.push_back({.op = "cast", .name = "from u8", .inputs = {{.shape = s, .role = Role::label, .low = 0, .high = 255}},
                   .run = [](const Tensors& in) { return in[0].to(DType::f32); }, .reference = same, .differentiable = false});
  cases.push_back({.op = "cast",
                   .name = "there and back",
                   .inputs = {{s}},
                   .run =
                       [](const Tensors& in) {
                         const DType wide = in[0].device().is_cpu() ? DType::f64 : DType::f32;  // no f64 on CUDA
                         return in[0].to(wide).to(in[0].dtype());
                       },
                   .reference = same,
                   .saved_bytes = 0});
  const auto reshaped_to = [&](const char* name, const Shape& from, const Shape& to) {
    cases.push_back({.op = "reshape", .name = name, .inputs = {{from}}, .run = [=](const Tensors& in) { return in[0].reshape(to); },
                     .reference = [=](const HostArrays& in) { return HostArrays{{to, in[0].values}}; }});
  };
  reshaped_to("to a matrix", s, {30, 12});
  reshaped_to("to a scalar", {1, 1}, {});
  cases.push_back({.op = "cast", .name = "f32 to bf16, 32x64^3", .inputs = {{Shape{1, 64, 64, 64, 32}}},
                   .run = [](const Tensors& in) { return in[0].to(DType::bf16); }, .bench = true});
  rejects.push_back({"reshape", "another count", [] { Tensor::zeros({2, 3}).reshape({5}); }, {"reshape", "{2, 3}", "{5}"}});
}
