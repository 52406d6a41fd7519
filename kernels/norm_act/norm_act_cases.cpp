#include "kernels/norm_act/norm_act.h"

#include <cmath>

#include "kernels/pointwise/pointwise.h"
#include "tests/op_case.h"

using namespace voxgrad;

namespace {
OpInput scale_of(int64_t c) { return {.shape = {c}, .role = Role::parameter, .low = 0.5, .high = 1.5}; }
OpInput shift_of(int64_t c) { return {.shape = {c}, .role = Role::parameter}; }

// f as computed from the composition of plain ops must agree with the fused op: the case returns the fused result where they do, NaN where
// they do not, and so fails. Values and gradients come from the fused op.
Tensor checked_against(const Tensor& fused, const Tensor& composed) {
  Unrecorded quiet;
  const std::vector<double> a = fused.values(), b = composed.values();
  const double limit = 8 * epsilon_of(fused.dtype());
  for (size_t i = 0; i < a.size(); ++i)
    check(std::abs(a[i] - b[i]) <= limit * (1 + std::abs(b[i])), "norm_act: element ", i, " is ", a[i], ", the composition gives ", b[i]);
  return fused;
}
}  // namespace

OP_CASES(norm_act) {
  using Run = std::function<Tensor(const Tensors&)>;
  // The derivative jumps at z = 0: an element whose sign rounding decides differs by 0.99 of its gradient. The seeds are fixed, and the
  // inputs few enough that none lies that near.
  const auto add = [&](const char* name, const Shape& s, bool skip, Run run, int64_t terms, int64_t saved) {
    const int64_t c = s[-1];
    OpCase one = {.op = "norm_act", .name = name, .inputs = {{.shape = s}, scale_of(c), shift_of(c)}, .run = run, .terms = terms,
                  .saved_bytes = saved < 0 ? -1 : saved * 4, .dtypes = {DType::f32}};
    if (skip) one.inputs.push_back({.shape = s});
    cases.push_back(one);
  };
  const Run instance = [](const Tensors& in) {
    return checked_against(instance_norm_act(in[0], in[1], in[2]), leaky_relu(instance_norm(in[0], in[1], in[2])));
  };
  const Run instance_relu = [](const Tensors& in) {
    return checked_against(instance_norm_act(in[0], in[1], in[2], {}, {.slope = 0}), relu(instance_norm(in[0], in[1], in[2])));
  };
  const Run skipped = [](const Tensors& in) { return instance_norm_act(in[0], in[1], in[2], in[3]); };
  const int64_t n = 2 * 3 * 5 * 4;
  add("instance 3 channels", {2, 3, 5, 4, 3}, false, instance, 60, n * 3 + 6 + 18);
  add("instance 32 channels, ReLU", {2, 3, 5, 4, 32}, false, instance_relu, 60, n * 32 + 64 + 192);
  add("instance over several chunks", {1, 16, 12, 12, 20}, false, instance, 2304, -1);
  add("instance with a skip", {2, 3, 5, 4, 16}, true, skipped, 60, n * 16 * 2 + 32 + 96);
  add("instance with a skip over several chunks", {1, 16, 12, 12, 20}, true, skipped, 2304, -1);
  add(
      "group", {2, 3, 5, 4, 6}, false,
      [](const Tensors& in) {
        return checked_against(group_norm_act(in[0], in[1], in[2], {}, {.groups = 2}),
                               leaky_relu(group_norm(in[0], in[1], in[2], {.groups = 2})));
      },
      180, n * 6 + 12 + 12);
  add("one group of single voxels", {6, 1, 1, 1, 20}, false,
      [](const Tensors& in) {
        return checked_against(group_norm_act(in[0], in[1], in[2], {}, {.groups = 1}), leaky_relu(layer_norm(in[0], in[1], in[2])));
      },
      20, 120 + 40 + 18);
  add("batch with a skip", {2, 3, 5, 4, 7}, true,
      [](const Tensors& in) { return batch_norm_act(in[0], in[1], in[2], {}, in[3], {.slope = 0}); }, 120, n * 14 + 14 + 21);
  for (DType t : {DType::bf16, DType::f16})
    cases.push_back({.op = "norm_act",
                     .name = std::string("instance in ") + name_of(t),
                     .inputs = {{.shape = {2, 3, 5, 4, 18}}, scale_of(18), shift_of(18)},
                     .run = [](const Tensors& in) { return instance_norm_act(in[0], in[1], in[2]); },
                     .terms = 60,
                     .dtypes = {t}});
  cases.push_back({.op = "norm_act", .name = "instance 2x64^3x32", .inputs = {{.shape = {2, 64, 64, 64, 32}}, scale_of(32), shift_of(32)},
                   .run = [](const Tensors& in) { return instance_norm_act(in[0], in[1], in[2]); }, .bench = true});
  rejects.push_back({"norm_act", "a skip of another shape",
                     [] { instance_norm_act(Tensor::zeros({1, 2, 2, 2, 3}), {}, {}, Tensor::zeros({1, 2, 2, 1, 3})); },
                     {"instance_norm_act", "skip", "{1, 2, 2, 1, 3}"}});
  rejects.push_back({"norm_act",
                     "a negative slope",
                     [] {
                       instance_norm_act(Tensor::zeros({1, 2, 2, 2, 3}), {}, {}, {}, {.slope = -1});
                     },
                     {"instance_norm_act", "slope -1"}});
}
