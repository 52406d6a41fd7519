// 3x3x3 convolutions of volumes beyond 2^31 elements, and beyond 2^31 voxels. Inputs and weights are multiples of 1/8, so that sums are
// exact in f32, and the gradient of the output is 1 at some positions alone, so that those of x and w are sums of a few terms.
#include <algorithm>
#include <cmath>

#include "core/device/conv_backend.h"
#include "kernels/conv3d/conv3d.h"
#include "tests/op_case.h"

using namespace voxgrad;

namespace {

struct Volume3 {
  int64_t extent[3], channels;
  Shape shape() const { return {1, extent[0], extent[1], extent[2], channels}; }
  int64_t count() const { return extent[0] * extent[1] * extent[2] * channels; }
  // The voxel at an offset from voxel v, or -1 outside.
  int64_t neighbour(int64_t v, int tap, int sign) const {
    const int64_t at[3] = {v / (extent[1] * extent[2]) + sign * (tap / 9 - 1), v / extent[2] % extent[1] + sign * (tap / 3 % 3 - 1),
                           v % extent[2] + sign * (tap % 3 - 1)};
    for (int a = 0; a < 3; ++a)
      if (at[a] < 0 || at[a] >= extent[a]) return -1;
    return (at[0] * extent[1] + at[1]) * extent[2] + at[2];
  }
};

std::string conv_fault(Device d, int64_t elements, int64_t c, int64_t k) {
  const int64_t side = std::max<int64_t>(3, int64_t(std::cbrt(double(elements) / double(c))));
  const Volume3 in{{elements / c / side / side + 1, side, side}, c}, out{{in.extent[0], side, side}, k};
  const auto x_at = [](int64_t i) { return pattern_at(DType::bf16, i); };
  const auto w_at = [](int64_t i) { return pattern_at(DType::f32, i + 12345); };
  Tensor w = Tensor::empty({k, 3, 3, 3, c});
  for (int64_t i = 0; i < w.count(); ++i) w.mutable_data<float>()[size_t(i)] = float(w_at(i));
  w = w.to(d).require_grad();
  Tensor x = pattern(in.shape(), DType::bf16, d).require_grad();
  const Tensor y = conv3d(x, w, {}, {.padding = {1, 1, 1}});
  const auto forward = [&](int64_t i) {
    double sum = 0;
    for (int tap = 0; tap < 27; ++tap)
      if (const int64_t v = in.neighbour(i / k, tap, 1); v >= 0)
        for (int64_t m = 0; m < c; ++m) sum += x_at(v * c + m) * w_at((i % k * 27 + tap) * c + m);
    return sum;
  };
  std::string fault = sampled_fault(y.detach(), forward, epsilon_of(DType::bf16));
  if (!fault.empty()) return "y: " + fault;

  Tensor gy = Tensor::zeros(out.shape(), DType::bf16);
  std::vector<int64_t> ones = sampled_positions(out.count());
  std::sort(ones.begin(), ones.end());
  ones.erase(std::unique(ones.begin(), ones.end()), ones.end());
  for (int64_t i : ones) gy.mutable_data<bf16>()[size_t(i)] = bf16(1.f);
  const Tensor there = gy.to(d);
  backward(y, there);
  const auto input_gradient = [&](int64_t i) {
    double sum = 0;
    for (int tap = 0; tap < 27; ++tap)
      if (const int64_t v = out.neighbour(i / c, tap, -1); v >= 0)
        for (int64_t m = 0; m < k; ++m) sum += double(gy.data<bf16>()[size_t(v * k + m)]) * w_at((m * 27 + tap) * c + i % c);
    return sum;
  };
  fault = sampled_fault(x.grad(), input_gradient, epsilon_of(DType::bf16));
  if (!fault.empty()) return "gx: " + fault;
  std::vector<double> gw(size_t(w.count()), 0.0);
  for (int64_t i : ones)
    for (int tap = 0; tap < 27; ++tap)
      if (const int64_t v = in.neighbour(i / k, tap, 1); v >= 0)
        for (int64_t m = 0; m < c; ++m) gw[size_t((i % k * 27 + tap) * c + m)] += x_at(v * c + m);
  const bool rounded = !d.is_cpu() && ConvBackendScope::active() == ConvBackend::cudnn;  // its weight gradient comes in bf16
  const double limit = rounded ? epsilon_of(DType::bf16) : 1e-3;  // Winograd's algorithm rounds; a wrong term would be 1/8
  fault = sampled_fault(
      w.grad(), [&](int64_t i) { return gw[size_t(i)]; }, limit);
  return fault.empty() ? "" : "gw: " + fault;
}

}  // namespace

HUGE_CASES(conv3d) {
  cases.push_back({"conv3d", "3x3x3, 8 to 8 channels, all passes", 8.5, [](Device d, int64_t n) { return conv_fault(d, n, 8, 8); }});
  cases.push_back({"conv3d", "3x3x3, 1 to 1 channel, all passes", 8.5, [](Device d, int64_t n) { return conv_fault(d, n, 1, 1); }});
}
