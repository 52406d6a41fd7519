// Sums for the backward pass of a norm, as an input gradient takes them of what it writes.
#include <cmath>
#include <iterator>
#include <string>

#include "core/autograd.h"
#include "core/cuda/runtime.h"
#include "core/device/exact_f32.h"
#include "kernels/binary/binary.h"
#include "kernels/concat/concat.h"
#include "kernels/conv3d/conv3d_problem.h"
#include "kernels/conv3d_fused/conv3d_fused.h"
#include "kernels/norm/norm_kernels.h"
#include "tests/cuda/convolutions/conv_way.h"
#include "tests/tensor_helpers.h"

using namespace voxgrad;

namespace {

const Device kDevice{0};
constexpr double kSlope = 0.25, kEps = 1e-5;

struct Layer {
  Shape x;
  int64_t outputs;
  Int3 kernel;
  Conv3dOptions options = {};
  int64_t channels = 1;   // of a group of the norm
  bool of_batch = false;  // a batch norm
};

// The mean of x is `added`, far above its deviation. Where a way is given, layers are left out that do not have it.
void check_layer(const Layer& l, DType t, double added, bool repeated = false, ByWay* way = nullptr) {
  const Tensor x = add(noise(l.x, 1), Tensor::full(l.x, added)).to(t).to(kDevice);
  const int64_t all = l.x[0], n = l.of_batch ? 1 : all, c = l.x[4], voxels = x.count() / n / c;
  const Tensor w = noise({l.outputs, l.kernel.d, l.kernel.h, l.kernel.w, c / l.options.groups}, 2).to(kDevice);
  const Conv3dProblem p = conv3d_problem(l.x, x, w, {}, l.options);
  const Tensor gy = noise({all, p.out.d, p.out.h, p.out.w, l.outputs}, 3).to(t).to(kDevice);
  const Tensor scale = noise({c}, 4).to(kDevice), shift = noise({c}, 5).to(kDevice);
  const Cuda on = current_stream(kDevice);
  const int64_t groups = c / l.channels;
  const NormProblem norm{.samples = n, .voxels = voxels, .channels = c, .groups = groups, .eps = kEps, .slope = kSlope};
  const Tensor stats = Tensor::empty({3, n, groups}, DType::f32, kDevice), coefficients = Tensor::empty({all, 3, c}, DType::f32, kDevice);
  norm_statistics(on, norm, x.view(), stats.view(), {});
  norm_coefficients(on, norm, stats.view(), scale.view(), shift.view(), coefficients.view(), all / n);
  CAPTURE(l.x, l.outputs, name_of(t), added);
  REQUIRE(conv3d_takes_sums(on, p, t));
  const ConvPart part{x.view(), c, coefficients.view(), kSlope, l.of_batch};
  const auto run = [&](const Tensor& gx, const Tensor& sums) {
    conv3d_input_gradient(on, p, gy.view(), w.view(), {}, gx.view(), {part, stats.view(), sums.view(), groups});
  };
  const Tensor gx = Tensor::empty_like(x), sums = Tensor::empty({n, c, 2}, DType::f64, kDevice);
  if (way && !way->is_had_by(kDevice, [&] { run(gx, sums); })) return;
  run(gx, sums);
  const std::vector<double> got = sums.values(), g = gx.values(), v = x.values(), s = scale.values(), b = shift.values();
  if (repeated) {
    const Tensor more = Tensor::empty_like(x), again = Tensor::empty({n, c, 2}, DType::f64, kDevice);
    run(more, again);
    CHECK(got == again.values());
    run(more, {});
    CHECK(g == more.values());
  }
  double error = 0;
  for (int64_t i = 0; i < n * c; ++i) {
    const auto at = [&](int64_t k) { return size_t((i / c * voxels + k) * c + i % c); };
    // Element k of the group.
    const auto of_group = [&](int64_t k) { return v[at(k / l.channels) - size_t(i % l.channels) + size_t(k % l.channels)]; };
    const int64_t elements = voxels * l.channels;
    double mean = 0, variance = 0;
    for (int64_t k = 0; k < elements; ++k) mean += of_group(k) / double(elements);
    for (int64_t k = 0; k < elements; ++k) variance += (of_group(k) - mean) * (of_group(k) - mean) / double(elements);
    double wanted[2] = {}, sizes[2] = {};
    for (int64_t k = 0; k < voxels; ++k) {
      const double xhat = (v[at(k)] - mean) / std::sqrt(variance + kEps), z = xhat * s[size_t(i % c)] + b[size_t(i % c)];
      const double own = g[at(k)] * (z > 0 ? 1 : kSlope);
      wanted[0] += own, wanted[1] += own * xhat;
      sizes[0] += std::abs(own), sizes[1] += std::abs(own * xhat);
    }
    for (int e = 0; e < 2; ++e) {
      const double relative = std::abs(got[size_t(2 * i + e)] - wanted[e]) / sizes[e];
      if (!(relative <= error)) error = std::isnan(relative) ? INFINITY : relative;
    }
  }
  CHECK(error < 2e-6);  // sums of f32 over a part
}

}  // namespace

TEST_CASE("convolutions: sums for the backward pass of a norm are those of the gradient that was written") {
  if (cuda::device_count() == 0) {
    WARN("skipped: this machine has 0 CUDA devices");
    return;
  }
  const Int3 one{1, 1, 1}, two{2, 2, 2}, three{3, 3, 3};
  // Whole tiles and ragged ones, blocks of columns of every width, channels of parts of pieces, groups, strides, and sums in shares.
  const Layer layers[] = {{{2, 5, 9, 18, 32}, 16, three, {.padding = one}},
                          {{1, 9, 10, 20, 64}, 8, three, {.padding = one}},
                          {{1, 8, 8, 8, 160}, 16, one, {}},
                          {{1, 8, 16, 16, 200}, 16, one, {}},
                          {{2, 7, 6, 9, 40}, 33, three, {.stride = two, .padding = one}},
                          {{1, 6, 6, 9, 24}, 8, one, {.stride = two}},
                          {{1, 4, 5, 9, 27}, 16, three, {.padding = one}, 9},
                          {{2, 5, 6, 9, 48}, 16, three, {.padding = one, .groups = 2}, 4},
                          {{2, 4, 4, 4, 72}, 96, three, {.padding = one}},
                          {{2, 5, 6, 9, 40}, 33, three, {.stride = two, .padding = one}, 1, true},
                          {{3, 4, 3, 4, 72}, 96, three, {.padding = one}, 1, true}};
  for (const std::string name : {"mma", "wgmma", "tma", "lines", "lines_tma"}) {
    ByWay way(name);
    CAPTURE(name);
    const bool all = name == "mma" || name == "wgmma";  // of the others only what they have for themselves
    check_layer(layers[0], DType::bf16, 30, true, &way);
    check_layer(layers[0], DType::f32, 3000, false, &way);
    check_layer({{2, 4, 5, 10, 32}, 16, three, {.padding = one}, 1, true}, DType::bf16, 30, false, &way);
    CHECK(way.was_had(kDevice));
    if (name == "tma") check_layer(layers[4], DType::bf16, 30, false, &way);
    if (!all) continue;
    for (size_t i = 1; i < std::size(layers); ++i)
      check_layer(layers[i], i % 2 ? DType::bf16 : DType::f32, i % 2 ? 30 : 3000, false, &way);
    check_layer(layers[2], DType::f16, 100, false, &way);
    check_layer(layers[6], DType::bf16, 30, false, &way);
    const ExactF32 scope;
    check_layer(layers[8], DType::f32, 3000, false, &way);
    check_layer(layers[6], DType::f32, 3000, false, &way);
  }
  {
    ByWay way("winograd");
    check_layer(layers[1], DType::bf16, 30, false, &way);
    CHECK(way.was_had(kDevice));
  }
  // Heads, whose gradients gather few channels.
  const Layer heads[] = {{{2, 5, 9, 18, 32}, 3, three, {.padding = one}},
                         {{1, 4, 9, 17, 40}, 2, one, {}, 5},
                         {{2, 3, 6, 9, 27}, 4, three, {.padding = one}, 1, true},
                         {{1, 3, 7, 20, 16}, 1, one, {}}};
  for (const Layer& l : heads)
    for (const DType t : {DType::bf16, DType::f32}) check_layer(l, t, t == DType::f32 ? 3000 : 30, true);
}

TEST_CASE("convolutions: the backward pass of norms that convolutions read through is that of stored ones") {
  if (cuda::device_count() == 0) {
    WARN("skipped: this machine has 0 CUDA devices");
    return;
  }
  const Conv3dOptions same{.padding = {1, 1, 1}}, halves{.stride = {2, 2, 2}, .padding = {1, 1, 1}};
  constexpr int kBatch = -1;
  const auto run = [&](DType t, const Conv3dOptions& options, int groups, bool stored) {
    std::vector<Tensor> leaves;
    const auto leaf = [&](const Shape& s, DType of) {
      leaves.push_back(noise(s, leaves.size() + 1).to(of).to(kDevice).require_grad());
      return leaves.back();
    };
    std::vector<ConvSource> sources;
    for (const int64_t c : {32, 16})
      sources.push_back({.x = leaf({2, 4, 5, 9, c}, t), .normalised = true, .scale = leaf({c}, DType::f32), .shift = leaf({c}, DType::f32),
                         .slope = kSlope, .groups = groups == kBatch ? 0 : groups});
    for (ConvSource& s : sources)
      if (groups == kBatch) s.of_batch = true, s.stats = batch_statistics(s.x, {});
    const Tensor w = leaf({24, 3, 3, 3, 48}, DType::f32);
    const Tensor y = stored ? conv3d(concat({evaluate(sources[0]), evaluate(sources[1])}, -1), w, {}, options)
                            : conv3d_fused(sources, w, {}, options);
    backward(y, noise(y.shape(), 9).to(t).to(kDevice));
    std::vector<Tensor> gradients;
    for (const Tensor& l : leaves) gradients.push_back(l.grad());
    return gradients;
  };
  for (const std::string way : {"mma", "wgmma", "lines"})
    for (const DType t : {DType::bf16, DType::f16, DType::f32})
      for (const Conv3dOptions& options : {same, halves}) {
        if (options.stride.d == 2 ? t != DType::bf16 : t == DType::f16 && way != "mma") continue;
        const ByWay scope(way);
        const int groups = t == DType::bf16 ? (options.stride.d == 2 ? kBatch : 4) : t == DType::f32 && way != "mma" ? kBatch : 0;
        const std::vector<Tensor> got = run(t, options, groups, false), wanted = run(t, options, groups, true);
        for (size_t i = 0; i < got.size(); ++i) {
          double most = 0;
          for (const double v : wanted[i].values()) most = std::fmax(most, std::abs(v));
          CAPTURE(way, name_of(t), options.stride, i, most);
          // Last bits of sums, and of the gradient as it is stored; z is rounded where it is read in any case.
          CHECK(difference(got[i], wanted[i]) <= (t == DType::f32 ? 1e-4 : 0.01) * most);
        }
      }
}
