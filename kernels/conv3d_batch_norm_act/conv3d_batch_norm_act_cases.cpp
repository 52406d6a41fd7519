#include <cmath>

#include "kernels/conv3d_batch_norm_act/conv3d_batch_norm_act.h"
#include "tests/op_case.h"
#include "tests/reference.h"

using namespace voxgrad;

namespace {
constexpr double kActSlope = 0.25;  // exact in every type

// Inputs: x, w, scale, shift, running mean, running variance, and bias and skip where there are some.
struct EndedConvolution {
  const char* name;
  Shape x;
  int64_t k;
  Int3 kernel;
  Conv3dOptions conv = {};
  bool bias = true, skip = true;
};

Tensor ended(const Tensors& in, const EndedConvolution& u) {
  const RunningStatistics running = {in[4].detach(), in[5].detach()};
  return conv3d_batch_norm_act(in[0], in[1], u.bias ? in[6] : Tensor{}, in[2], in[3], running, u.skip ? in.back() : Tensor{},
                               {.conv = u.conv, .slope = kActSlope});
}

HostArrays ended_reference(const HostArrays& in, const EndedConvolution& u) {
  HostArray y = conv3d_reference(in[0], in[1], u.bias ? in[6] : HostArray{}, u.conv);
  for (size_t i = 0; i < y.values.size(); ++i) {
    const int64_t c = int64_t(i) % u.k;
    const double z = (y.values[i] - in[4].at(c)) / std::sqrt(in[5].at(c) + 1e-5) * in[2].at(c) + in[3].at(c) +
                     (u.skip ? in.back().values[i] : 0);
    y.values[i] = z > 0 ? z : kActSlope * z;
  }
  return {y};
}
}  // namespace

OP_CASES(conv3d_batch_norm_act) {
  const Int3 one = {1, 1, 1}, two = {2, 2, 2}, three = {3, 3, 3};
  const auto add = [&](const EndedConvolution& u, bool differentiable = false) {
    OpCase c{.op = "conv3d_batch_norm_act", .name = u.name};
    const auto of_channels = [&](double low, double high) {
      return OpInput{.shape = {u.k}, .role = Role::parameter, .low = low, .high = high};
    };
    c.inputs = {{.shape = u.x}, {.shape = {u.k, u.kernel.d, u.kernel.h, u.kernel.w, u.x[4] / u.conv.groups}, .role = Role::parameter}};
    for (const auto& [low, high] : {std::pair{0.5, 1.5}, {-1., 1.}, {-1., 1.}, {0.5, 2.}}) c.inputs.push_back(of_channels(low, high));
    if (!differentiable) c.differentiable = false;
    if (u.bias) c.inputs.push_back(of_channels(-1, 1));
    if (u.skip) {
      Shape y = u.x.with(4, u.k);
      for (int a = 0; a < 3; ++a)
        y = y.with(a + 1, (u.x[a + 1] + 2 * u.conv.padding[a] - u.conv.dilation[a] * (u.kernel[a] - 1) - 1) / u.conv.stride[a] + 1);
      c.inputs.push_back({.shape = y});
    }
    c.run = [u](const Tensors& in) { return ended(in, u); };
    c.reference = [u](const HostArrays& in) { return ended_reference(in, u); };
    c.terms = int64_t(u.kernel.d) * u.kernel.h * u.kernel.w * u.x[4] + 1;
    c.slack = 2;  // running variances down to 0.5 and scales to 1.5
    cases.push_back(c);
  };
  add({"as it is read again", {1, 6, 9, 7, 5}, 9, three, {.stride = two, .padding = one}});
  add({"1x1x1", {2, 3, 4, 9, 32}, 48, one});
  add({"1x1x1 of few voxels, without a skip", {2, 2, 3, 2, 40}, 64, one, {}, true, false});
  add({"1x1x1 without a bias, stride 2", {1, 5, 6, 7, 20}, 33, one, {.stride = two}, false});
  add({"to few channels", {1, 3, 4, 5, 40}, 2, three, {.padding = one}});
  add({"from few channels", {1, 4, 5, 6, 3}, 32, one});
  add({"groups", {1, 4, 5, 6, 12}, 18, three, {.padding = one, .groups = 3}});
  add({"depthwise", {1, 4, 5, 6, 20}, 20, three, {.padding = one, .groups = 20}});
  add({"dilated", {1, 6, 7, 8, 8}, 12, three, {.padding = two, .dilation = two}});
  add({"padding beyond the volume", {1, 1, 2, 3, 16}, 16, three, {.padding = two}});
  add({"padding beyond the volume, several passes", {1, 2, 3, 4, 200}, 64, three, {.padding = {1, 3, 1}}});
  add({"few voxels", {2, 2, 1, 2, 64}, 48, three, {.padding = one}});
  add({"Winograd", {1, 8, 9, 10, 32}, 32, three, {.padding = one}});
  add({"Winograd in boxes", {1, 6, 10, 12, 9}, 12, three, {.padding = one}});
  add({"Winograd in the plane", {2, 8, 10, 12, 32}, 48, three, {.stride = two, .padding = one}});
  add({"phases", {1, 12, 13, 22, 1}, 32, {7, 7, 7}, {.stride = two, .padding = three}, false, false});
  rejects.push_back({"conv3d_batch_norm_act",
                     "a skip of other extents",
                     [] {
                       const Tensor v = Tensor::zeros({2});
                       conv3d_batch_norm_act(Tensor::zeros({1, 2, 2, 2, 3}), Tensor::zeros({2, 1, 1, 1, 3}), {}, {}, {}, {v, v},
                                             Tensor::zeros({1, 2, 2, 1, 2}), {});
                     },
                     {"conv3d_batch_norm_act", "skip", "{1, 2, 2, 1, 2}"}});
  rejects.push_back({"conv3d_batch_norm_act",
                     "no running statistics",
                     [] { conv3d_batch_norm_act(Tensor::zeros({1, 2, 2, 2, 3}), Tensor::zeros({2, 1, 1, 1, 3}), {}, {}, {}, {}, {}, {}); },
                     {"conv3d_batch_norm_act", "running statistics"}});
}
