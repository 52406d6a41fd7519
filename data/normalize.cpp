#include "data/normalize.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/device/parallel.h"
#include "core/error.h"

namespace voxgrad {
namespace {

constexpr int64_t kChunk = 1 << 15;

// Mean and standard deviation of one channel, in f64 over chunks in fixed order.
std::array<double, 2> mean_and_std(const float* x, int64_t voxels, int64_t channels, int64_t c) {
  const auto sum_of = [&](auto f) {
    std::vector<double> part(size_t(chunk_count(voxels, kChunk)));
    parallel_chunks(voxels, kChunk, [&](int64_t i, int64_t begin, int64_t end) {
      double s = 0;
      for (int64_t v = begin; v < end; ++v) s += f(double(x[v * channels + c]));
      part[size_t(i)] = s;
    });
    double s = 0;
    for (double p : part) s += p;
    return s;
  };
  const double mean = sum_of([](double v) { return v; }) / double(voxels);
  const double variance = sum_of([mean](double v) { return (v - mean) * (v - mean); }) / double(voxels);
  return {mean, std::sqrt(variance)};
}

// The same of the voxels of the mask.
std::array<double, 2> mean_and_std(const float* x, const std::vector<uint8_t>& mask, int64_t channels, int64_t c) {
  double n = 0, sum = 0, squares = 0;
  for (size_t v = 0; v < mask.size(); ++v)
    if (mask[v]) {
      ++n;
      sum += double(x[int64_t(v) * channels + c]);
    }
  const double mean = sum / std::max(n, 1.0);
  for (size_t v = 0; v < mask.size(); ++v)
    if (mask[v]) squares += (double(x[int64_t(v) * channels + c]) - mean) * (double(x[int64_t(v) * channels + c]) - mean);
  return {mean, std::sqrt(squares / std::max(n, 1.0))};
}

struct Scaling {
  float low = -INFINITY, high = INFINITY, shift = 0, scale = 1;
};

bool is_nonzero(const Normalization& n) { return n.kind == "zscore_nonzero"; }

Scaling scaling_of(const Normalization& n, const float* x, int64_t voxels, int64_t channels, int64_t c, const std::vector<uint8_t>& mask) {
  if (n.kind == "rgb_to_0_1") return {.scale = 1 / 255.f};
  if (n.kind == "hounsfield") return {.shift = -1000, .scale = 1e-3f};
  if (n.kind == "ct")
    return {.low = float(n.low), .high = float(n.high), .shift = float(n.mean), .scale = float(1 / std::max(n.std, 1e-8))};
  if (is_nonzero(n)) {
    std::vector<uint8_t> own(static_cast<size_t>(voxels));
    for (int64_t v = 0; v < voxels; ++v) own[size_t(v)] = x[v * channels + c] != 0;
    const auto [mean, std] = mean_and_std(x, own, channels, c);
    return {.shift = float(mean), .scale = float(1 / (std > 0 ? std : 1))};
  }
  if (n.kind == "zscore") {
    const auto [mean, std] = n.mask ? mean_and_std(x, mask, channels, c) : mean_and_std(x, voxels, channels, c);
    return {.shift = float(mean), .scale = float(1 / std::max(std, 1e-8))};
  }
  std::vector<float> values(static_cast<size_t>(voxels));
  for (int64_t v = 0; v < voxels; ++v) values[size_t(v)] = x[v * channels + c];
  if (values.empty()) return {};
  const bool quantiles = n.kind == "quantiles";
  const double low = quantiles ? quantile(values, n.low) : *std::min_element(values.begin(), values.end());
  const double high = quantiles ? quantile(values, n.high) : *std::max_element(values.begin(), values.end());
  return {.low = float(low), .high = float(high), .shift = float(low), .scale = float(1 / std::max(high - low, 1e-8))};
}

}  // namespace

double quantile(std::vector<float>& values, double share) {
  const double at = std::clamp(share, 0.0, 1.0) * double(values.size() - 1);
  const auto low = values.begin() + std::ptrdiff_t(at);
  std::nth_element(values.begin(), low, values.end());
  const double first = *low, part = at - std::floor(at);
  if (part == 0) return first;
  return first + part * (double(*std::min_element(low + 1, values.end())) - first);
}

// zscore and ct as nnU-Net's ZScoreNormalization and CTNormalization.
std::vector<Standardization> normalize(const Tensor& image, const std::vector<Normalization>& how, const std::vector<uint8_t>& given) {
  std::vector<Standardization> done;
  float* x = image.view().as<float>();
  const int64_t channels = image.dim(3), voxels = image.count() / std::max<int64_t>(1, channels);
  const bool masked = std::any_of(how.begin(), how.end(), [](const Normalization& n) { return n.mask && n.kind == "zscore"; });
  const std::vector<uint8_t> found = masked && given.empty() ? foreground_of(image) : std::vector<uint8_t>();
  const std::vector<uint8_t>& mask = given.empty() ? found : given;
  for (int64_t c = 0; c < channels; ++c) {
    const Normalization& n = how[size_t(c)];
    done.push_back({});
    if (n.kind == "none") continue;
    const Scaling s = scaling_of(n, x, voxels, channels, c, mask);
    done.back() = {s.shift, s.scale};
    const bool nonzero = is_nonzero(n);
    const bool within = n.mask && n.kind == "zscore";
    parallel_for(voxels, kChunk, [&](int64_t v) {
      float& value = x[v * channels + c];
      if ((!within || mask[size_t(v)]) && !(nonzero && value == 0)) value = (std::min(std::max(value, s.low), s.high) - s.shift) * s.scale;
    });
  }
  return done;
}

namespace {
bool is_zero(const float* voxel, int64_t channels) {
  for (int64_t c = 0; c < channels; ++c)
    if (voxel[c] != 0) return false;
  return true;
}
bool none_positive(const float* voxel, int64_t channels) {
  for (int64_t c = 0; c < channels; ++c)
    if (voxel[c] > 0) return false;
  return true;
}
}  // namespace

std::pair<Int3, Int3> box_of_nonzero(const Tensor& image, bool positive) {
  const float* x = image.view().as<float>();
  const int64_t channels = image.dim(3);
  const Int3 size = {int(image.dim(0)), int(image.dim(1)), int(image.dim(2))};
  Int3 low = size, high = {-1, -1, -1};
  int64_t v = 0;
  for (int d = 0; d < size.d; ++d)
    for (int h = 0; h < size.h; ++h)
      for (int w = 0; w < size.w; ++w, ++v) {
        if (positive ? none_positive(x + v * channels, channels) : is_zero(x + v * channels, channels)) continue;
        const Int3 at = {d, h, w};
        for (int a = 0; a < 3; ++a) {
          low[a] = std::min(low[a], at[a]);
          high[a] = std::max(high[a], at[a]);
        }
      }
  if (high.d < 0) return {{0, 0, 0}, size};
  return {low, {high.d - low.d + 1, high.h - low.h + 1, high.w - low.w + 1}};
}

std::vector<uint8_t> foreground_of(const Tensor& image) {
  const float* x = image.view().as<float>();
  const int64_t channels = image.dim(3), size[3] = {image.dim(0), image.dim(1), image.dim(2)};
  const int64_t step[3] = {size[1] * size[2], size[2], 1};
  std::vector<uint8_t> mask(size_t(size[0] * size[1] * size[2]), 1);
  std::vector<int64_t> front;
  const auto reach = [&](int64_t v) {
    if (!mask[size_t(v)] || !is_zero(x + v * channels, channels)) return;
    mask[size_t(v)] = 0;
    front.push_back(v);
  };
  for (int64_t v = 0; v < int64_t(mask.size()); ++v)
    for (int a = 0; a < 3; ++a) {
      const int64_t i = v / step[a] % size[a];
      if (i == 0 || i + 1 == size[a]) reach(v);
    }
  while (!front.empty()) {
    const int64_t v = front.back();
    front.pop_back();
    for (int a = 0; a < 3; ++a) {
      const int64_t i = v / step[a] % size[a];
      if (i > 0) reach(v - step[a]);
      if (i + 1 < size[a]) reach(v + step[a]);
    }
  }
  return mask;
}

}  // namespace voxgrad
