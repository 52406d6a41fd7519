#include "tasks/landmarks/heat_maps.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "kernels/binary/binary.h"
#include "kernels/reduce/reduce.h"

namespace voxgrad {
namespace {

constexpr double kFarSigmas = 5;  // beyond it a map is 0

// Fills channel k of a map {D, H, W, K}.
void add_map(double* map, const Int3& size, int64_t channels, int64_t k, const Double3& place, const Double3& sigma) {
  std::vector<double> factor[3];
  for (int a = 0; a < 3; ++a)
    for (int x = 0; x < size[a]; ++x) {
      const double off = size[a] > 1 ? (x - place[size_t(a)]) / sigma[size_t(a)] : 0;
      factor[a].push_back(std::abs(off) > kFarSigmas ? 0 : std::exp(-0.5 * off * off));
    }
  for (int d = 0; d < size.d; ++d)
    for (int h = 0; h < size.h; ++h) {
      const double row = factor[0][size_t(d)] * factor[1][size_t(h)];
      if (row == 0) continue;
      double* const to = map + (int64_t(d) * size.h + h) * size.w * channels + k;
      for (int w = 0; w < size.w; ++w) to[w * channels] = row * factor[2][size_t(w)];
    }
}

}  // namespace

HeatTargets heat_targets(const std::vector<std::vector<HeatPoint>>& points, const std::vector<Double3>& sigma, const Int3& size, DType type,
                         Device device) {
  const int64_t n = int64_t(points.size()), channels = n > 0 ? int64_t(points[0].size()) : 0;
  const Shape shape = {n, size.d, size.h, size.w, channels};
  std::vector<double> target(static_cast<size_t>(shape.count())), weight(static_cast<size_t>(n * channels));
  double empty = 0;
  for (int64_t s = 0; s < n; ++s) {
    check(int64_t(points[size_t(s)].size()) == channels, "landmarks: ", points[size_t(s)].size(), " points beside ", channels);
    double mass = 1;
    for (int a = 0; a < 3; ++a)
      if (size[a] > 1) mass *= sigma[size_t(s)][size_t(a)] * std::sqrt(std::numbers::pi);
    for (int64_t k = 0; k < channels; ++k) {
      const HeatPoint& p = points[size_t(s)][size_t(k)];
      if (!p.known) continue;
      weight[size_t(s * channels + k)] = 1;
      empty += mass;
      add_map(target.data() + s * (shape.count() / n), size, channels, k, p.place, sigma[size_t(s)]);
    }
  }
  return {Tensor::from(target, shape, type, device), Tensor::from(weight, {n, 1, 1, 1, channels}, type, device),
          Tensor::from({std::max(1.0, empty)}, {1}, type, device)};
}

Tensor heat_map_loss(const Tensor& heat, const HeatTargets& t) {
  check(t.maps.dim(4) == heat.dim(4), "landmarks: ", t.maps.dim(4), " points, the network gives ", heat.dim(4), " heat maps");
  check(t.maps.shape() == heat.shape(), "landmarks: maps of points are ", t.maps.shape(), ", the network gives ", heat.shape());
  const DType type = accum_of(heat.dtype());
  return sum(square(heat.to(type) - t.maps.to(type)) * t.known.to(type)) / t.empty.to(type).reshape({});
}

Tensor heat_map_loss(const Tensor& heat, const std::vector<std::vector<HeatPoint>>& points, const std::vector<Double3>& sigma) {
  check(int64_t(points.size()) == heat.dim(0) && points.size() == sigma.size(), "landmarks: points of ", points.size(),
        " samples, the batch has ", heat.dim(0));
  return heat_map_loss(heat, heat_targets(points, sigma, heat.shape().spatial(), accum_of(heat.dtype()), heat.device()));
}

HeatPeak peak_of(const Tensor& heat, int64_t k, const Double3& sigma) {
  const Int3 size = volume_size(heat);
  const int64_t channels = heat.dim(3);
  const auto x = heat.data<float>();
  const auto value = [&](int64_t d, int64_t h, int64_t w) { return double(x[size_t(((d * size.h + h) * size.w + w) * channels + k)]); };
  int64_t at[3] = {0, 0, 0};
  double most = value(0, 0, 0);
  for (int64_t d = 0; d < size.d; ++d)
    for (int64_t h = 0; h < size.h; ++h)
      for (int64_t w = 0; w < size.w; ++w) {
        const double v = value(d, h, w);
        check(std::isfinite(v), "landmarks: the network gave values that are not finite; its weights or the image may be damaged");
        if (v > most) most = v, at[0] = d, at[1] = h, at[2] = w;
      }
  HeatPeak out{.place = {double(at[0]), double(at[1]), double(at[2])}, .value = most};
  int64_t low[3], high[3];
  for (int a = 0; a < 3; ++a) {
    const int64_t reach = int64_t(std::ceil(2 * sigma[size_t(a)]));
    low[a] = std::max<int64_t>(0, at[a] - reach), high[a] = std::min<int64_t>(size[a] - 1, at[a] + reach);
  }
  double total = 0;
  Double3 sum = {};
  for (int64_t d = low[0]; d <= high[0]; ++d)
    for (int64_t h = low[1]; h <= high[1]; ++h)
      for (int64_t w = low[2]; w <= high[2]; ++w) {
        const double above = std::max(0.0, value(d, h, w) - most / 2);
        total += above;
        sum[0] += above * double(d), sum[1] += above * double(h), sum[2] += above * double(w);
      }
  if (most > 0 && total > 0)
    for (size_t a = 0; a < 3; ++a) out.place[a] = sum[a] / total;
  return out;
}

}  // namespace voxgrad
