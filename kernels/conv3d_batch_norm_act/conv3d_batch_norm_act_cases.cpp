#include <cmath>

#include "kernels/binary/binary.h"
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
  int64_t saved = 0;  // where it is trained, with a scale that is not: elements that are kept
};

// Running means take the outputs of channels to one side or the other of the activation, away from its kink.
double side_of(int64_t channel) { return channel % 2 ? 1 : -1; }

Tensor ended(const Tensors& in, const EndedConvolution& u) {
  const DType accum = accum_of(in[0].dtype());
  RunningStatistics running = {in[4].detach().to(accum), in[5].detach().to(accum)};
  if (u.saved) {
    std::vector<double> sides;
    for (int64_t k = 0; k < u.k; ++k) sides.push_back(side_of(k));
    running.mean = running.mean * Tensor::from(sides, {u.k}, accum, in[0].device());
  }
  return conv3d_batch_norm_act(in[0], in[1], u.bias ? in[6] : Tensor{}, in[2].to(accum), in[3], running, u.skip ? in.back() : Tensor{},
                               {.conv = u.conv, .slope = kActSlope});
}

HostArrays ended_reference(const HostArrays& in, const EndedConvolution& u) {
  HostArray y = conv3d_reference(in[0], in[1], u.bias ? in[6] : HostArray{}, u.conv);
  for (size_t i = 0; i < y.values.size(); ++i) {
    const int64_t c = int64_t(i) % u.k;
    const double mean = in[4].at(c) * (u.saved ? side_of(c) : 1);
    const double z = (y.values[i] - mean) / std::sqrt(in[5].at(c) + 1e-5) * in[2].at(c) + in[3].at(c) +
                     (u.skip ? in.back().values[i] : 0);
    y.values[i] = z > 0 ? z : kActSlope * z;
  }
  return {y};
}
}  // namespace

OP_CASES(conv3d_batch_norm_act) {
  const Int3 one = {1, 1, 1}, two = {2, 2, 2}, three = {3, 3, 3};
  const auto add = [&](const EndedConvolution& u) {
    OpCase c{.op = "conv3d_batch_norm_act", .name = u.name};
    const bool trained = u.saved > 0;
    c.terms = int64_t(u.kernel.d) * u.kernel.h * u.kernel.w * u.x[4] + 1;
    const auto of_channels = [&](double low, double high) {
      return OpInput{.shape = {u.k}, .role = Role::parameter, .low = low, .high = high};
    };
    c.inputs = {{.shape = u.x}, {.shape = {u.k, u.kernel.d, u.kernel.h, u.kernel.w, u.x[4] / u.conv.groups}, .role = Role::parameter}};
    for (const auto& [low, high] : {std::pair{0.5, 1.5}, {-1., 1.}, {-1., 1.}, {0.5, 2.}}) c.inputs.push_back(of_channels(low, high));
    c.differentiable = trained;
    if (trained) {
      for (const int constant : {2, 4, 5}) c.inputs[size_t(constant)].role = Role::constant;
      // Six deviations of the sum of uniform values, and what the least scale and largest variance need for bias, shift and skip.
      const double away = 2 * std::sqrt(double(c.terms)) + 7;
      c.inputs[4].low = away, c.inputs[4].high = away + 4;
      c.saved_bytes = 4 * u.saved;
      c.step = 1e-5;
    }
    if (u.bias) c.inputs.push_back(of_channels(-1, 1));
    if (u.skip) {
      Shape y = u.x.with(4, u.k);
      for (int a = 0; a < 3; ++a)
        y = y.with(a + 1, (u.x[a + 1] + 2 * u.conv.padding[a] - u.conv.dilation[a] * (u.kernel[a] - 1) - 1) / u.conv.stride[a] + 1);
      c.inputs.push_back({.shape = y});
    }
    c.run = [u](const Tensors& in) { return ended(in, u); };
    c.reference = [u](const HostArrays& in) { return ended_reference(in, u); };
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
  add({"Winograd in the plane", {2, 8, 20, 16, 32}, 48, three, {.stride = two, .padding = one}});
  add({"phases", {1, 12, 13, 22, 1}, 32, {7, 7, 7}, {.stride = two, .padding = three}, false, false});
  // Kept are x, w and y, scale and shift, and three statistics of each channel; without an activation, y is not.
  const int64_t voxels = 2 * 3 * 4 * 5;
  add({"by a scale that is not trained, 3x3x3", {2, 3, 4, 5, 8}, 12, three, {.padding = one}, true, true,
       voxels * (8 + 12) + 12 * 27 * 8 + 5 * 12});
  add({"by a scale that is not trained, 1x1x1 without a skip", {2, 3, 4, 5, 40}, 24, one, {}, false, false,
       voxels * (40 + 24) + 24 * 40 + 5 * 24});
  add({"by a scale that is not trained, stride 2", {1, 5, 6, 7, 9}, 16, three, {.stride = two, .padding = one}, true, false,
       210 * 9 + 3 * 3 * 4 * 16 + 16 * 27 * 9 + 5 * 16});
  add({"by a scale that is not trained, depthwise", {1, 4, 5, 6, 20}, 20, three, {.padding = one, .groups = 20}, false, true,
       120 * 40 + 27 * 20 + 5 * 20});
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
