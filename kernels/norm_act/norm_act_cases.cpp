#include "kernels/norm_act/norm_act.h"

#include "tests/op_case.h"
#include "tests/reference.h"

using namespace voxgrad;

namespace {
constexpr double kSlope = 0.015625;  // which f32, in which kernels keep it, holds exactly

OpInput scaled(int64_t c) { return {.shape = {c}, .role = Role::parameter, .low = 0.5, .high = 1.5}; }
OpInput shifted(int64_t c) { return {.shape = {c}, .role = Role::parameter}; }

// act(norm(x) scale + shift + skip), the skip a fourth input or none.
Reference activated(const GroupOf& group, double slope) {
  return [=](const HostArrays& in) {
    HostArray y = normalised(in[0], group, in[1], in[2]);
    for (size_t i = 0; i < y.values.size(); ++i) {
      const double z = y.values[i] + (in.size() > 3 ? in[3].values[i] : 0);
      y.values[i] = z > 0 ? z : slope * z;
    }
    return HostArrays{y};
  };
}
}  // namespace

OP_CASES(norm_act) {
  struct Norm {
    std::function<Tensor(const Tensors&)> run;
    std::function<GroupOf(const Shape&)> groups;
    double slope = kSlope;
  };
  // The derivative jumps at z = 0: an element whose sign rounding decides differs by 0.99 of its gradient. The seeds are fixed, and the
  // inputs few enough that none lies that near.
  const auto add = [&](const char* name, const Shape& s, bool skip, const Norm& norm, int64_t terms, int64_t saved) {
    const int64_t c = s[-1];
    OpCase one = {.op = "norm_act", .name = name, .inputs = {{.shape = s}, scaled(c), shifted(c)}, .run = norm.run,
                  .reference = activated(norm.groups(s), norm.slope), .terms = terms,
                  .saved_bytes = saved < 0 ? -1 : saved * 4, .dtypes = {DType::f32}};
    if (skip) one.inputs.push_back({.shape = s});
    cases.push_back(one);
  };
  const Norm instance = {[](const Tensors& in) { return instance_norm_act(in[0], in[1], in[2], {}, {.slope = kSlope}); }, instance_of};
  const Norm instance_relu = {[](const Tensors& in) { return instance_norm_act(in[0], in[1], in[2], {}, {.slope = 0}); }, instance_of, 0};
  const Norm skipped = {[](const Tensors& in) { return instance_norm_act(in[0], in[1], in[2], in[3], {.slope = kSlope}); }, instance_of};
  const auto group = [](int groups) {
    return Norm{[=](const Tensors& in) { return group_norm_act(in[0], in[1], in[2], {}, {.groups = groups, .slope = kSlope}); },
                [=](const Shape& s) { return group_of(s, groups); }};
  };
  const int64_t n = 2 * 3 * 5 * 4;
  add("instance 3 channels", {2, 3, 5, 4, 3}, false, instance, 60, n * 3 + 6 + 18);
  add("instance 32 channels, ReLU", {2, 3, 5, 4, 32}, false, instance_relu, 60, n * 32 + 64 + 192);
  add("instance over several chunks", {1, 16, 12, 12, 20}, false, instance, 2304, -1);
  add("instance with a skip", {2, 3, 5, 4, 16}, true, skipped, 60, n * 16 * 2 + 32 + 96);
  add("instance with a skip over several chunks", {1, 16, 12, 12, 20}, true, skipped, 2304, -1);
  add("group", {2, 3, 5, 4, 6}, false, group(2), 180, n * 6 + 12 + 12);
  add("one group of single voxels", {6, 1, 1, 1, 20}, false, group(1), 20, 120 + 40 + 18);
  add("batch with a skip", {2, 3, 5, 4, 7}, true,
      {[](const Tensors& in) { return batch_norm_act(in[0], in[1], in[2], {}, in[3], {.slope = 0}); }, channel_of, 0}, 120,
      n * 14 + 14 + 21);
  add("batch of known statistics", {2, 3, 5, 4, 7}, false,
      {[](const Tensors& in) {
         return batch_norm_act(in[0], in[1], in[2], {}, {}, {.slope = kSlope, .stats = batch_statistics(in[0], {})});
       },
       channel_of},
      120, n * 7 + 14 + 21);
  for (DType t : {DType::bf16, DType::f16})
    cases.push_back({.op = "norm_act",
                     .name = std::string("instance in ") + name_of(t),
                     .inputs = {{.shape = {2, 3, 5, 4, 18}}, scaled(18), shifted(18)},
                     .run = [](const Tensors& in) { return instance_norm_act(in[0], in[1], in[2], {}, {.slope = kSlope}); },
                     .reference = activated(instance_of({2, 3, 5, 4, 18}), kSlope),
                     .terms = 60,
                     .dtypes = {t}});
  cases.push_back({.op = "norm_act", .name = "instance 2x64^3x32", .inputs = {{.shape = {2, 64, 64, 64, 32}}, scaled(32), shifted(32)},
                   .run = [](const Tensors& in) { return instance_norm_act(in[0], in[1], in[2], {}, {.slope = kSlope}); }, .bench = true});
  rejects.push_back({"norm_act", "a skip of another shape",
                     [] { instance_norm_act(Tensor::zeros({1, 2, 2, 2, 3}), {}, {}, Tensor::zeros({1, 2, 2, 1, 3})); },
                     {"instance_norm_act", "skip", "{1, 2, 2, 1, 3}"}});
  rejects.push_back({"norm_act",
                     "statistics beside running ones",
                     [] {
                       const Tensor one = Tensor::full({3}, 1);
                       batch_norm_act(Tensor::zeros({1, 2, 2, 2, 3}), {}, {}, {one, one}, {},
                                      {.training = false, .stats = Tensor::zeros({3, 1, 3})});
                     },
                     {"batch_norm_act", "statistics", "running"}});
  rejects.push_back({"norm_act",
                     "a negative slope",
                     [] {
                       instance_norm_act(Tensor::zeros({1, 2, 2, 2, 3}), {}, {}, {}, {.slope = -1});
                     },
                     {"instance_norm_act", "slope -1"}});
}
