#include "kernels/norm/norm.h"

#include <cmath>

#include "tests/op_case.h"
#include "tests/reference.h"

using namespace voxgrad;

namespace {
OpInput scale_of(int64_t c) { return {.shape = {c}, .role = Role::parameter, .low = 0.5, .high = 1.5}; }
OpInput shift_of(int64_t c) { return {.shape = {c}, .role = Role::parameter}; }
}  // namespace

OP_CASES(norm) {
  struct Norm {
    std::function<Tensor(const Tensors&)> run;
    std::function<GroupOf(const Shape&)> groups;
  };
  const auto affine_of = [](const GroupOf& group) {
    return [group](const HostArrays& in) { return HostArrays{normalised(in[0], group, in[1], in[2])}; };
  };
  const auto plain_of = [](const GroupOf& group) {
    return [group](const HostArrays& in) { return HostArrays{normalised(in[0], group)}; };
  };
  // Sums of many terms round: a step of 1e-5 keeps that out of the finite differences. statistics: how many, -1 to leave bytes unstated.
  const auto add = [&](const char* name, const Shape& s, const Norm& norm, int64_t terms, int64_t statistics) {
    const int64_t c = s[-1];
    cases.push_back({.op = "norm", .name = name, .inputs = {{.shape = s}, scale_of(c), shift_of(c)}, .run = norm.run,
                     .reference = affine_of(norm.groups(s)), .terms = terms,
                     .saved_bytes = statistics < 0 ? -1 : (s.count() + 2 * c + 3 * statistics) * 4, .step = 1e-5});
  };
  const Norm instance = {[](const Tensors& in) { return instance_norm(in[0], in[1], in[2]); }, instance_of};
  const Norm layer = {[](const Tensors& in) { return layer_norm(in[0], in[1], in[2]); }, layer_of};
  const auto group = [](int groups) {
    return Norm{[=](const Tensors& in) { return group_norm(in[0], in[1], in[2], {.groups = groups}); },
                [=](const Shape& s) { return group_of(s, groups); }};
  };
  add("instance 3 channels", {2, 3, 5, 4, 3}, instance, 60, 6);
  add("instance 17 channels", {1, 2, 5, 4, 17}, instance, 40, 17);
  add("instance 64 channels", {2, 2, 3, 2, 64}, instance, 12, 128);
  add("instance 1 channel over several chunks", {1, 33, 33, 33, 1}, instance, 35937, -1);
  add("instance 33 channels over several chunks", {1, 16, 32, 33, 33}, instance, 16896, -1);
  add("instance 4 channels, one sample larger than a chunk", {2, 25, 20, 20, 4}, instance, 10000, -1);
  add("group of 2", {2, 3, 4, 3, 6}, group(3), 72, 6);
  add("group of all", {2, 3, 4, 3, 5}, group(1), 180, 2);
  add("layer 5 channels", {2, 2, 3, 2, 5}, layer, 5, 24);
  add("layer 48 channels", {3, 7, 48}, layer, 48, 21);
  add("layer over several chunks", {1, 12, 10, 10, 40}, layer, 40, -1);
  add("batch in training", {3, 2, 3, 4, 7}, {[](const Tensors& in) { return batch_norm(in[0], in[1], in[2], {}); }, channel_of}, 72, 7);
  cases.push_back({.op = "norm", .name = "instance without scale and shift", .inputs = {{.shape = {2, 3, 2, 4, 5}}},
                   .run = [](const Tensors& in) { return instance_norm(in[0]); },
                   .reference = plain_of(instance_of({2, 3, 2, 4, 5})), .terms = 24});
  cases.push_back({.op = "norm", .name = "layer without scale and shift", .inputs = {{.shape = {2, 3, 20}}},
                   .run = [](const Tensors& in) { return layer_norm(in[0]); },
                   .reference = plain_of(layer_of({2, 3, 20})), .terms = 20});
  // Mean 300 and deviation 0.29: x has 2^-15 of it left after the point, and nothing may be lost beyond that. The gradient check
  // moves x by 1e-6 of its deviation, of which f64 keeps 1e-13 / 1e-6 at that mean: larger steps keep it exact.
  const Shape offset = {1, 6, 8, 7, 18};
  for (auto [name, norm] : {std::pair{"instance, mean far above the deviation", instance}, {"layer, mean far above the deviation", layer}})
    cases.push_back({.op = "norm",
                     .name = name,
                     .inputs = {{.shape = offset, .low = 299.5, .high = 300.5}, scale_of(18), shift_of(18)},
                     .run = norm.run,
                     .reference = affine_of(norm.groups(offset)),
                     .terms = 336,
                     .dtypes = {DType::f32},
                     .step = 1e-5});
  cases.push_back(
      {.op = "norm",
       .name = "batch at rest",
       .inputs = {{.shape = {2, 3, 2, 4, 5}}, scale_of(5), shift_of(5), {.shape = {5}, .role = Role::constant, .low = 0.5, .high = 2}},
       .run =
           [](const Tensors& in) {
             const DType t = accum_of(in[0].dtype());
             const Tensor running = in[3].detach().to(t);
             return batch_norm(in[0], in[1], in[2], {.mean = running, .variance = running}, {.training = false});
           },
       .reference =
           [](const HostArrays& in) {
             return HostArrays{host_array(in[0].shape, [&](const Index& i) {
               const double running = in[3].at(i[4]);
               return (in[0][i] - running) / std::sqrt(running + 1e-5) * in[1].at(i[4]) + in[2].at(i[4]);
             })};
           },
       .terms = 48});
  rejects.push_back({"norm",
                     "a scale of another width",
                     [] {
                       instance_norm(Tensor::zeros({1, 2, 2, 2, 3}), Tensor::zeros({4}), {});
                     },
                     {"instance_norm", "scale", "{4}", "{3}"}});
  rejects.push_back({"norm", "groups that do not divide",
                     [] { group_norm(Tensor::zeros({1, 2, 2, 2, 6}), {}, {}, {.groups = 4}); }, {"group_norm", "4 groups", "6 channels"}});
  rejects.push_back({"norm",
                     "an integer tensor",
                     [] {
                       instance_norm(Tensor::zeros({1, 2, 2, 2, 3}, DType::u8));
                     },
                     {"instance_norm", "u8"}});
  rejects.push_back({"norm", "batch at rest without statistics",
                     [] { batch_norm(Tensor::zeros({1, 2, 2, 2, 3}), {}, {}, {}, {.training = false}); }, {"batch_norm", "running"}});
  rejects.push_back({"norm",
                     "parameters of the activation's half type",
                     [] {
                       instance_norm(Tensor::zeros({1, 2, 2, 2, 3}, DType::bf16), Tensor::zeros({3}, DType::bf16));
                     },
                     {"instance_norm", "scale", "f32 {3}"}});
}
