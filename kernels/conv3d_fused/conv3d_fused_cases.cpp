#include <cmath>

#include "kernels/binary/binary.h"
#include "kernels/concat/concat.h"
#include "kernels/conv3d_fused/conv3d_fused.h"
#include "kernels/split/split.h"
#include "tests/op_case.h"
#include "tests/reference.h"

using namespace voxgrad;

OP_CASES(conv3d_fused) {
  // Of two sources the first is normalised, both or neither; x[4] and more: their channels.
  struct Use {
    const char* name;
    Shape x;
    int64_t more, k;
    Int3 kernel;
    Conv3dOptions options = {};
    bool normalised = true;
    double slack = 1;
    bool both = false;
    int tail = 0;    // 1: a residual is added, 2: and the sum activated
    int groups = 0;  // of the first norm; kBatch: it is a batch norm, as is that of the second one; kConstant: by constant statistics
    bool parts = false;  // the first source is the concatenation of one channel, of two and of the others
  };
  constexpr int kBatch = -1, kConstant = -2;
  const auto mean_of = [](int64_t c) { return double(c % 3) / 4 - 0.25; };
  const auto variance_of = [](int64_t c) { return 0.5 + double(c % 4) / 4; };
  constexpr double kTailSlope = 0.25;  // exact in every type
  const auto side = [](int64_t k) { return k % 2 ? 1. : -1.; };
  const auto add = [&](const Use& u, const std::string& name = {}) {
    OpCase c{.op = "conv3d_fused", .name = name.empty() ? u.name : name, .slack = u.slack};
    const int64_t channels = u.x[4] + u.more;
    if (u.x[0] > 100) c.step = 1e-5;  // the rounding of sums of so many samples
    c.inputs = {{.shape = u.x},
                {.shape = {u.k, u.kernel.d, u.kernel.h, u.kernel.w, channels}, .role = Role::parameter},
                {.shape = {u.k}, .role = Role::parameter}};
    if (u.normalised) {
      c.inputs.push_back({.shape = {u.x[4]}, .role = Role::parameter, .low = 0.5, .high = 1.5});
      c.inputs.push_back({.shape = {u.x[4]}, .role = Role::parameter});
    }
    if (u.tail > 0) {
      Shape y = u.x.with(4, u.k);
      for (int a = 0; a < 3; ++a)
        y = y.with(a + 1, (u.x[a + 1] + 2 * u.options.padding[a] - u.kernel[a]) / u.options.stride[a] + 1);
      // Away from the kink of the activation, on both sides of it: six deviations of the sum of uniform values.
      const double away = 2 * std::sqrt(double(u.kernel.d * u.kernel.h * u.kernel.w * channels)) + 2;
      c.inputs.push_back({.shape = y, .low = away, .high = away + 10});
      c.step = 1e-5;
    }
    if (u.more > 0) c.inputs.push_back({.shape = {u.x[0], u.x[1], u.x[2], u.x[3], u.more}});
    c.run = [u, side, mean_of, variance_of](const Tensors& in) {
      std::vector<ConvSource> sources = {{.x = in[0]}};
      const bool batch = u.groups < 0;
      if (u.normalised)
        sources[0] = {.x = in[0], .normalised = true, .scale = in[3], .shift = in[4], .slope = 0.015625, .groups = batch ? 0 : u.groups};
      if (u.parts) {
        sources[0].parts = split(in[0], {1, 2, u.x[4] - 3}, 4);
        sources[0].x = concat(sources[0].parts, 4);
      }
      if (u.more > 0) sources.push_back({.x = in.back(), .normalised = u.both, .slope = 0.015625});
      for (ConvSource& s : sources)
        if (batch && s.normalised) {
          s.of_batch = true;
          s.constant = u.groups == kConstant;
          std::vector<double> means, variances;
          for (int64_t k = 0; k < s.x.dim(4); ++k) means.push_back(mean_of(k)), variances.push_back(variance_of(k));
          const auto vector = [&](const std::vector<double>& v) {
            return Tensor::from(v, {s.x.dim(4)}, accum_of(s.x.dtype()), s.x.device());
          };
          s.stats = s.constant ? constant_statistics({vector(means), vector(variances)}, s.eps) : batch_statistics(s.x, {});
        }
      if (u.tail == 0) return conv3d_fused(sources, in[1], in[2], u.options);
      std::vector<double> sides;
      for (int64_t k = 0; k < u.k; ++k) sides.push_back(side(k));
      const Tensor& more = in[u.normalised ? 5 : 3];
      const Tensor residual = more * Tensor::from(sides, {u.k}, accum_of(more.dtype()), more.device());
      return conv3d_fused(sources, in[1], in[2], u.options, {residual, u.tail == 2 ? kTailSlope : 1});
    };
    c.reference = [u, side, mean_of, variance_of](const HostArrays& in) {
      const auto activated = [](HostArray z) {
        for (double& v : z.values) v = v > 0 ? v : v / 64;
        return z;
      };
      const auto norm_of = [&](const Shape& x, int groups) {
        return u.groups == kBatch ? channel_of(x) : groups ? group_of(x, groups) : instance_of(x);
      };
      const auto z_of = [&](const HostArray& x, int groups, const HostArray& scale, const HostArray& shift) {
        if (u.groups != kConstant) return activated(normalised(x, norm_of(x.shape, groups), scale, shift));
        return activated(host_array(x.shape, [&](const Index& i) {
          const double xhat = (x[i] - mean_of(i[4])) / std::sqrt(variance_of(i[4]) + 1e-5);
          return xhat * (scale.values.empty() ? 1 : scale.at(i[4])) + (shift.values.empty() ? 0 : shift.at(i[4]));
        }));
      };
      const HostArray first = u.normalised ? z_of(in[0], u.groups, in[3], in[4]) : in[0];
      const HostArray second = u.both ? z_of(in.back(), 0, {}, {}) : in.back();
      const HostArray all = host_array(u.x.with(4, u.x[4] + u.more), [&](const Index& i) {
        return i[4] < u.x[4] ? first[i] : second.at(i[0], i[1], i[2], i[3], i[4] - u.x[4]);
      });
      HostArray y = conv3d_reference(all, in[1], in[2], u.options);
      for (size_t i = 0; u.tail > 0 && i < y.values.size(); ++i) {
        double& v = y.values[i];
        v += in[u.normalised ? 5 : 3].values[i] * side(int64_t(i) % u.k);
        if (u.tail == 2 && v < 0) v *= kTailSlope;
      }
      return HostArrays{y};
    };
    // The parts, w, scale and shift, statistics and coefficients.
    if (u.parts && u.more == 0 && u.kernel.d > 1)
      c.saved_bytes = 4 * (u.x.count() + c.inputs[1].shape.count() + 2 * u.x[4] + 3 * u.x[4] + u.x[0] * 3 * u.x[4]);
    c.for_cpu = std::string_view(u.name).starts_with("Winograd") || std::string_view(u.name).starts_with("few voxels");
    c.terms = int64_t(u.kernel.d) * u.kernel.h * u.kernel.w * channels + 1;
    cases.push_back(c);
  };
  const Int3 one{1, 1, 1}, two{2, 2, 2}, three{3, 3, 3};
  // The norm amplifies the rounding of its input by 1 / deviation, about 2 for uniform values.
  add({"normalised, 3x3x3", {2, 3, 4, 5, 8}, 0, 12, three, {.padding = one}, true, 4});
  add({"normalised, pointwise to 3 outputs", {2, 3, 4, 5, 18}, 0, 3, one, {}, true, 4});
  add({"normalised, a head of 32 channels", {2, 3, 5, 7, 32}, 0, 3, one, {}, true, 4});
  add({"normalised, a head of 40 channels", {3, 2, 3, 9, 40}, 0, 1, one, {}, true, 4});
  add({"normalised, a head of many samples", {280, 1, 2, 3, 16}, 0, 2, one, {}, true, 8});
  add({"batch norm, a head of 16 channels", {2, 4, 6, 9, 16}, 0, 4, one, {}, true, 4, false, 0, kBatch});
  add({"normalised, stride 2", {1, 5, 6, 7, 9}, 0, 16, three, {.stride = two, .padding = one}, true, 4});
  add({"two sources", {2, 3, 4, 5, 7}, 9, 12, three, {.padding = one}, false});
  add({"two sources, the first normalised", {2, 3, 4, 5, 20}, 13, 12, three, {.padding = one}, true, 4});
  add({"two sources, the first normalised, in whole pieces", {2, 3, 4, 4, 32}, 16, 24, three, {.padding = one}, true, 4});
  add({"two sources in whole pieces, stride 2", {1, 5, 4, 6, 32}, 8, 40, three, {.stride = two, .padding = one}, false});
  add({"two sources in pieces of 16 bytes, both normalised", {2, 3, 4, 4, 24}, 16, 24, three, {.padding = one}, true, 4, true});
  add({"two sources, the first in pieces of 16 bytes, both normalised", {1, 4, 3, 5, 40}, 13, 7, three, {.padding = one}, true, 4, true});
  add({"normalised, stride 2, of many voxels", {1, 9, 9, 17, 40}, 0, 24, three, {.stride = two, .padding = one}, true, 4});
  add({"normalised, pointwise of many channels", {2, 3, 4, 5, 136}, 0, 40, one, {}, true, 4});
  add({"normalised, few taps of many channels", {1, 4, 4, 6, 72}, 0, 16, {1, 2, 1}, {.stride = two}, true, 4});
  add({"group norm, in whole pieces", {2, 3, 4, 4, 32}, 0, 24, three, {.padding = one}, true, 4, false, 0, 2});
  add({"group norm of 3 channels each, stride 2", {2, 5, 6, 7, 9}, 0, 16, three, {.stride = two, .padding = one}, true, 4, false, 0, 3});
  add({"two sources, a group norm and an instance norm", {2, 3, 4, 4, 64}, 16, 24, three, {.padding = one}, true, 4, true, 0, 4});
  add({"batch norm, in whole pieces", {2, 3, 4, 4, 32}, 0, 24, three, {.padding = one}, true, 4, false, 0, kBatch});
  add({"batch norm, stride 2 along W, ragged", {2, 6, 7, 14, 9}, 0, 16, three, {.stride = {1, 1, 2}, .padding = one}, true, 4, false, 0,
       kBatch});
  add({"batch norm, pointwise", {3, 4, 6, 8, 40}, 0, 24, one, {}, true, 4, false, 0, kBatch});
  add({"two sources, both batch norms", {2, 3, 4, 4, 32}, 16, 24, three, {.padding = one}, true, 4, true, 0, kBatch});
  add({"a batch norm of parts", {3, 4, 6, 8, 16}, 0, 12, three, {.padding = one}, true, 4, false, 0, kBatch, true});
  add({"a batch norm of parts, pointwise", {3, 4, 6, 8, 24}, 0, 16, one, {}, true, 4, false, 0, kBatch, true});
  add({"two sources, the first of parts, not normalised", {2, 3, 4, 5, 7}, 9, 12, three, {.padding = one}, false, 1, false, 0, 0, true});
  add({"constant statistics, in whole pieces", {2, 3, 4, 4, 32}, 0, 24, three, {.padding = one}, true, 4, false, 0, kConstant});
  add({"constant statistics, pointwise", {3, 4, 6, 8, 40}, 0, 24, one, {}, true, 4, false, 0, kConstant});
  add({"two sources, both by constant statistics", {2, 3, 4, 4, 32}, 16, 24, three, {.padding = one}, true, 4, true, 0, kConstant});
  add({"few voxels, constant statistics, stored", {2, 2, 2, 2, 48}, 0, 36, three, {.padding = one}, true, 4, false, 0, kConstant});
  add({"few voxels, batch norm, stored", {2, 2, 2, 2, 48}, 0, 36, three, {.padding = one}, true, 4, false, 0, kBatch});
  add({"Winograd, batch norm", {2, 8, 6, 8, 16}, 0, 16, three, {.padding = one}, true, 4, false, 0, kBatch});
  const Conv3dOptions dilated{.padding = two, .dilation = two};
  add({"dilated, normalised", {2, 4, 4, 6, 8}, 0, 12, three, dilated, true, 4});
  add({"dilated, batch norm", {2, 8, 8, 6, 8}, 0, 12, three, dilated, true, 4, false, 0, kBatch});
  add({"dilated, normalised, ragged", {1, 5, 4, 7, 6}, 0, 5, three, dilated, true, 4});
  add({"dilated, two sources, the first normalised", {2, 4, 4, 6, 7}, 5, 6, three, dilated, true, 4});
  const Conv3dOptions far{.padding = {6, 6, 6}, .dilation = {6, 6, 6}};  // where the halo of all taps is too large for CUDA
  add({"dilated by 6, normalised, two chunks of channels", {2, 2, 7, 8, 40}, 0, 12, three, far, true, 4});
  add({"dilated by 6, two sources, the first normalised", {1, 2, 7, 8, 16}, 5, 20, three, far, true, 4});
  add({"few voxels, two sources, the first normalised", {2, 2, 2, 2, 20}, 28, 36, three, {.padding = one}, true, 4});
  add({"Winograd, normalised", {2, 8, 6, 8, 16}, 0, 16, three, {.padding = one}, true, 4});
  add({"Winograd, two sources, the first normalised", {1, 6, 9, 10, 20}, 16, 24, three, {.padding = one}, true, 4});
  add({"Winograd, two sources over groups of channels", {1, 4, 8, 8, 50}, 46, 40, three, {.padding = one}, false});
  for (const int tail : {1, 2}) {
    const std::string of = tail == 1 ? ", + residual" : ", + residual, activated";
    const auto end = [&](const char* name, Use u) {
      u.tail = tail;
      add(u, name + of);
    };
    end("normalised", {"", {2, 3, 4, 5, 8}, 0, 12, three, {.padding = one}, true, 4});
    end("normalised, of a few channels", {"", {2, 3, 4, 5, 3}, 0, 12, three, {.padding = one}, true, 4});
    end("plain, in lines", {"", {1, 3, 8, 8, 16}, 0, 32, three, {.padding = one}, false});
    end("plain, wide", {"", {1, 4, 4, 8, 16}, 0, 48, three, {.padding = one}, false});
    end("plain, in shares", {"", {1, 2, 2, 2, 80}, 0, 20, three, {.padding = one}, false});
    end("plain, to two channels", {"", {1, 3, 4, 5, 6}, 0, 2, one, {}, false});
    end("plain, stride 2, ragged", {"", {1, 5, 4, 6, 9}, 0, 13, three, {.stride = two, .padding = one}, false});
    end("two sources of ragged channels", {"", {2, 3, 4, 5, 7}, 9, 12, one, {}, false});
  }
  rejects.push_back({"conv3d_fused",
                     "a residual of other extents",
                     [] {
                       conv3d_fused({{Tensor::zeros({1, 2, 2, 2, 3})}}, Tensor::zeros({4, 1, 1, 1, 3}), {}, {},
                                    {.residual = Tensor::zeros({1, 2, 2, 2, 3})});
                     },
                     {"conv3d_fused", "{1, 2, 2, 2, 4}", "{1, 2, 2, 2, 3}"}});
  rejects.push_back({"conv3d_fused",
                     "extents that differ",
                     [] {
                       conv3d_fused({{Tensor::zeros({1, 2, 2, 2, 3})}, {Tensor::zeros({1, 2, 2, 3, 3})}}, Tensor::zeros({2, 1, 1, 1, 6}));
                     },
                     {"conv3d_fused", "{1, 2, 2, 3, 3}", "{1, 2, 2, 2, 3}"}});
  rejects.push_back({"conv3d_fused",
                     "a weight for other channels",
                     [] {
                       conv3d_fused({{Tensor::zeros({1, 2, 2, 2, 3})}, {Tensor::zeros({1, 2, 2, 2, 3})}}, Tensor::zeros({2, 1, 1, 1, 5}));
                     },
                     {"conv3d", "6", "5"}});
  rejects.push_back({"conv3d_fused",
                     "a scale of other channels",
                     [] {
                       conv3d_fused({{.x = Tensor::zeros({1, 2, 2, 2, 3}), .normalised = true, .scale = Tensor::zeros({2})}},
                                    Tensor::zeros({2, 1, 1, 1, 3}));
                     },
                     {"conv3d_fused", "scale", "{3}", "{2}"}});
  rejects.push_back({"conv3d_fused",
                     "parts of other channels",
                     [] {
                       const Tensor part = Tensor::zeros({1, 2, 2, 2, 2});
                       conv3d_fused({{.x = Tensor::zeros({1, 2, 2, 2, 3}), .parts = {part, part}}}, Tensor::zeros({2, 1, 1, 1, 3}));
                     },
                     {"conv3d_fused", "{1, 2, 2, 2, 3}", "2 parts"}});
  rejects.push_back({"conv3d_fused",
                     "a batch norm without its statistics",
                     [] {
                       conv3d_fused({{.x = Tensor::zeros({1, 2, 2, 2, 3}), .normalised = true, .of_batch = true}},
                                    Tensor::zeros({2, 1, 1, 1, 3}));
                     },
                     {"conv3d_fused", "batch norm", "statistics"}});
  rejects.push_back(
      {"conv3d_fused",
       "groups that do not divide the channels",
       [] {
         conv3d_fused({{.x = Tensor::zeros({1, 2, 2, 2, 3}), .normalised = true, .groups = 2}}, Tensor::zeros({2, 1, 1, 1, 3}));
       },
       {"conv3d_fused", "2 groups", "3"}});
}
