// Statistics for a norm, as a convolution takes them of what it writes.
#include <cmath>

#include "core/autograd.h"
#include "core/cuda/runtime.h"
#include "core/device/exact_f32.h"
#include "kernels/conv3d/conv3d_problem.h"
#include "kernels/conv3d_fused/conv3d_fused.h"
#include "kernels/norm_act/norm_act.h"
#include "tests/cuda/convolutions/conv_way.h"
#include "tests/tensor_helpers.h"

using namespace voxgrad;
using Catch::Matchers::Contains;

namespace {

const Device kDevice{0};

struct Layer {
  Shape x;
  int64_t outputs;
  Int3 kernel;
  Conv3dOptions options = {};
  int channels = 1;       // of a group of the norm
  bool of_batch = false;  // a batch norm
};

// Of y {N, D, H, W, C}: {2, N, groups}, means and 1 / sqrt(variance + eps), of groups of so many channels.
std::vector<double> statistics_of(const Tensor& y, int64_t channels, double eps) {
  const std::vector<double> v = y.values();
  const int64_t n = y.dim(0), c = y.dim(4), groups = c / channels, elements = y.count() / n / groups;
  std::vector<double> out(size_t(2 * n * groups));
  for (int64_t i = 0; i < n * groups; ++i) {
    const double* const first = v.data() + i / groups * elements * groups + i % groups * channels;
    const auto element = [&](int64_t k) { return first[k / channels * c + k % channels]; };
    double mean = 0, variance = 0;
    for (int64_t k = 0; k < elements; ++k) mean += element(k) / double(elements);
    for (int64_t k = 0; k < elements; ++k) variance += (element(k) - mean) * (element(k) - mean) / double(elements);
    out[size_t(i)] = mean;
    out[size_t(n * groups + i)] = 1 / std::sqrt(variance + eps);
  }
  return out;
}

constexpr double kEps = 1e-5;

// What is added to every output is far above the deviation. ends: with a residual and an activation behind the sum. Where a way is given,
// layers are left out that do not have it.
void check_layer(const Layer& l, DType t, double added, bool ends = false, ByWay* way = nullptr) {
  const Tensor x = noise(l.x, 1).to(t).to(kDevice), b = Tensor::full({l.outputs}, added, DType::f32, kDevice);
  const Tensor w = noise({l.outputs, l.kernel.d, l.kernel.h, l.kernel.w, l.x[4] / l.options.groups}, 2).to(kDevice);
  ConvStatistics of_y{.eps = kEps, .groups = l.channels == 1 ? 0 : int(l.outputs) / l.channels, .of_batch = l.of_batch}, again = of_y;
  const Shape each_channel = {l.outputs};
  if (l.of_batch)
    of_y.running = {Tensor::full(each_channel, 1, DType::f32, kDevice), Tensor::full(each_channel, 2, DType::f32, kDevice)};
  const Int3 out = conv3d_problem(l.x, x, w, b, l.options).out;
  const Tensor residual = ends ? noise({l.x[0], out.d, out.h, out.w, l.outputs}, 3).to(t).to(kDevice) : Tensor{};
  const auto run = [&](ConvStatistics* statistics) {
    if (!ends) return conv3d(x, w, b, l.options, statistics);
    return conv3d_fused({{x}}, w, b, l.options, {.residual = residual, .slope = 0.25, .statistics = statistics});
  };
  const auto planned = [&] {
    ConvStatistics anew = of_y;
    run(&anew);
  };
  if (way && !way->is_had_by(kDevice, planned)) return;
  const Tensor y = run(&of_y);
  run(&again);
  REQUIRE(of_y.stats);
  const Tensor one = l.of_batch ? y.reshape({1, y.dim(0) * y.dim(1), y.dim(2), y.dim(3), l.outputs}) : y;
  const std::vector<double> got = of_y.stats.values(), wanted = statistics_of(one, l.channels, kEps);
  CHECK(got == again.stats.values());
  CHECK(y.values() == run(nullptr).values());
  const size_t each = wanted.size() / 2;
  double mean_error = 0, factor_error = 0;
  for (size_t i = 0; i < each; ++i) {
    mean_error = std::fmax(mean_error, std::abs(got[i] + got[each + i] - wanted[i]) * wanted[each + i]);
    factor_error = std::fmax(factor_error, std::abs(got[2 * each + i] / wanted[each + i] - 1));
    if (std::isnan(got[i] + got[2 * each + i])) mean_error = INFINITY;
  }
  CAPTURE(l.x, l.outputs, l.channels, name_of(t), added, ends);
  CHECK(mean_error < 1e-6);  // of the deviation; sums of f32 over a part
  CHECK(factor_error < 2e-6);
  if (!l.of_batch) return;
  // Moved by a tenth, towards the variance that divides by one element less.
  const double n = double(y.count() / l.outputs);
  const std::vector<double> mean = of_y.running.mean.values(), variance = of_y.running.variance.values();
  for (size_t i = 0; i < each; ++i) {
    const double unbiased = (1 / (wanted[each + i] * wanted[each + i]) - kEps) * n / (n - 1);
    CHECK(std::abs(mean[i] - (0.9 + 0.1 * wanted[i])) <= 1e-6 * (1 + std::abs(mean[i])));
    CHECK(std::abs(variance[i] - (1.8 + 0.1 * unbiased)) <= 5e-6 * variance[i]);
  }
}

}  // namespace

TEST_CASE("convolutions: statistics for a norm are those of what was written") {
  if (cuda::device_count() == 0) {
    WARN("skipped: this machine has 0 CUDA devices");
    return;
  }
  const Int3 one{1, 1, 1}, two{2, 2, 2}, three{3, 3, 3};
  // Whole tiles and ragged ones, several samples, blocks of columns of every width, groups, strides, and sums in shares.
  const Layer layers[] = {{{2, 5, 9, 18, 32}, 32, three, {.padding = one}},
                          {{2, 4, 9, 17, 16}, 24, three, {.padding = one}, 3},
                          {{1, 9, 10, 20, 16}, 64, three, {.padding = one}},
                          {{1, 8, 8, 8, 16}, 160, one, {}, 20},
                          {{1, 8, 16, 16, 16}, 200, one, {}},
                          {{2, 7, 6, 9, 33}, 40, three, {.stride = two, .padding = one}, 8},
                          {{2, 5, 6, 9, 48}, 60, three, {.padding = one, .groups = 2}, 2},
                          {{2, 4, 4, 4, 96}, 72, three, {.padding = one}},
                          {{3, 4, 5, 9, 16}, 32, three, {.padding = one}, 1, true},
                          {{2, 4, 4, 4, 96}, 72, three, {.padding = one}, 1, true}};
  for (const char* name : {"mma", "wgmma", "lines"}) {
    ByWay way(name);
    CAPTURE(name);
    for (const Layer& l : layers)
      for (const DType t : {DType::bf16, DType::f32}) check_layer(l, t, t == DType::f32 ? 3000 : 30, false, &way);
    const ExactF32 scope;
    check_layer(layers[0], DType::f32, 3000, false, &way);
    // Half of what is activated is not as it was, and its mean no larger than its deviation.
    for (const int layer : {0, 4, 7, 8}) check_layer(layers[layer], DType::bf16, 0, true, &way);
    for (const int layer : {0, 5}) check_layer(layers[layer], DType::f32, 3000, true, &way);
    CHECK(way.was_had(kDevice));
  }
  ByWay winograd("winograd");
  for (const bool ends : {false, true}) check_layer(layers[7], DType::bf16, ends ? 0 : 30, ends, &winograd);
  CHECK(winograd.was_had(kDevice));
}

TEST_CASE("convolutions: statistics of what first layers write") {
  if (cuda::device_count() == 0) {
    WARN("skipped: this machine has 0 CUDA devices");
    return;
  }
  const Int3 one{1, 1, 1}, two{2, 2, 2}, three{3, 3, 3};
  // One to four inputs, one and two blocks of columns, warps without outputs, and several tiles for a block.
  const Layer layers[] = {{{2, 5, 9, 18, 1}, 32, three, {.padding = one}},
                          {{1, 6, 7, 17, 3}, 20, three, {.stride = two, .padding = one}, 4},
                          {{1, 3, 9, 33, 4}, 40, three, {.padding = one}},
                          {{3, 4, 5, 9, 2}, 12, three, {.padding = one}, 1, true},
                          {{1, 2, 136, 80, 1}, 16, {1, 3, 3}, {.padding = {0, 1, 1}}}};
  for (const Layer& l : layers)
    for (const DType t : {DType::bf16, DType::f32}) {
      check_layer(l, t, t == DType::f32 ? 3000 : 30);
      if (&l < layers + 2) check_layer(l, t, 0, true);
    }
}

TEST_CASE("convolutions: a norm that is given statistics is the norm, forward and backward") {
  if (cuda::device_count() == 0) {
    WARN("skipped: this machine has 0 CUDA devices");
    return;
  }
  const Shape shape{2, 5, 9, 18, 32};
  const auto run = [&](bool given, bool stored) {
    const Tensor x = noise(shape, 1).to(kDevice).require_grad(), w = noise({32, 3, 3, 3, 32}, 2).to(kDevice).require_grad();
    const Tensor scale = noise({32}, 3).to(kDevice).require_grad(), shift = noise({32}, 4).to(kDevice).require_grad();
    const Conv3dOptions same{.padding = {1, 1, 1}};
    ConvStatistics of_y{.eps = 0.5};
    const Tensor y = conv3d(x, w, {}, same, given ? &of_y : nullptr);
    CHECK(bool(of_y.stats) == given);
    const ConvSource z{.x = y, .normalised = true, .scale = scale, .shift = shift, .slope = 0.25, .eps = 0.5, .stats = of_y.stats};
    const Tensor out = stored ? evaluate(z) : conv3d_fused({z}, w, {}, same);
    backward(out, noise(out.shape(), 5).to(kDevice));
    return std::vector<Tensor>{out, x.grad(), w.grad(), scale.grad(), shift.grad()};
  };
  for (const bool stored : {false, true}) {
    const std::vector<Tensor> got = run(true, stored), wanted = run(false, stored);
    for (size_t i = 0; i < got.size(); ++i) {
      double most = 0;
      for (const double v : wanted[i].values()) most = std::fmax(most, std::abs(v));
      CAPTURE(stored, i, most);
      CHECK(difference(got[i], wanted[i]) <= 1e-4 * most);  // last bits of statistics, of which tf32 makes more
    }
  }
  // Statistics that are of something else.
  const Tensor y = Tensor::zeros({1, 2, 2, 2, 8});
  CHECK_THROWS_WITH(instance_norm_act(y, {}, {}, {}, {.stats = Tensor::zeros({3, 1, 4})}), Contains("statistics"));
  CHECK_THROWS_WITH(conv3d_fused({{.x = y, .normalised = true, .stats = Tensor::zeros({3, 2, 8})}}, Tensor::zeros({2, 1, 1, 1, 8})),
                    Contains("statistics"));
}
