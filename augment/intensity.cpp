#include "augment/intensity.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "augment/channel.h"
#include "augment/intensity_kernels.h"
#include "core/device/isa.h"
#include "core/device/parallel.h"

namespace voxgrad {

const IntensityKernels& intensity_kernels() {
  return isa() >= Isa::avx512 ? avx512::kIntensity : isa() >= Isa::avx2 ? avx2::kIntensity : baseline::kIntensity;
}

namespace {

constexpr int64_t kChunk = 1 << 14;

struct Stats {
  double mean, standard_deviation;  // the latter with n - 1, as torch.std
  float low, high;
};

Stats stats_of(const float* x, int64_t n) {
  std::vector<ChunkStats> parts(size_t(chunk_count(n, kChunk)));
  const float offset = x[0];
  parallel_chunks(n, kChunk, [&](int64_t c, int64_t b, int64_t e) { parts[size_t(c)] = intensity_kernels().stats(x + b, e - b, offset); });
  double sum = 0, squares = 0;
  Stats s{.low = x[0], .high = x[0]};
  for (const auto& p : parts) {
    sum += p.sum;
    squares += p.sum_of_squares;
    s.low = std::min(s.low, p.low);
    s.high = std::max(s.high, p.high);
  }
  s.mean = double(offset) + sum / double(n);
  s.standard_deviation = n < 2 ? 0 : std::sqrt(std::max(0.0, (squares - sum * sum / double(n)) / double(n - 1)));
  return s;
}

struct Line {
  double centre = 0, scale = 1, shift = 0;
  float low = -INFINITY, high = INFINITY;
};
void apply(const Line& l, float* x, int64_t n) {
  parallel_chunks(n, kChunk, [&](int64_t, int64_t b, int64_t e) {
    intensity_kernels().affine(x + b, e - b, float(l.centre), float(l.scale), float(l.shift), l.low, l.high);
  });
}

}  // namespace

void add_gaussian_noise(const Tensor& image, double sigma, Rng rng) {
  check_image("add_gaussian_noise", image);
  check(sigma >= 0, "add_gaussian_noise: sigma ", sigma, " is negative");
  float* x = image.view().as<float>();
  const uint64_t key = rng.split().key();
  parallel_chunks(image.count(), kChunk, [&](int64_t, int64_t b, int64_t e) { add_noise(x, b, e, float(sigma), key); });
}

void multiply_brightness(const Tensor& image, int channel, double factor) {
  Channel x("multiply_brightness", image, channel);
  apply({.scale = factor}, x.data(), x.count());
}

void adjust_contrast(const Tensor& image, int channel, double factor, bool preserve_range) {
  Channel x("adjust_contrast", image, channel);
  const Stats s = stats_of(x.data(), x.count());
  Line line{.centre = s.mean, .scale = factor, .shift = s.mean};
  if (preserve_range) line.low = s.low, line.high = s.high;
  apply(line, x.data(), x.count());
}

void adjust_gamma(const Tensor& image, int channel, const GammaOptions& o) {
  check(o.gamma > 0, "adjust_gamma: gamma ", o.gamma, " is not positive");
  constexpr double kLeast = 1e-7;  // range and deviation are taken to be at least this
  Channel x("adjust_gamma", image, channel);
  const Stats before = stats_of(x.data(), x.count());
  const float sign = o.invert ? -1.f : 1.f, low = o.invert ? -before.high : before.low;
  const float range = float(std::max(kLeast, double(before.high) - double(before.low)));
  parallel_chunks(x.count(), kChunk,
                  [&](int64_t, int64_t b, int64_t e) { intensity_kernels().gamma(x.data() + b, e - b, sign, low, range, float(o.gamma)); });
  if (!o.retain_stats) {
    if (o.invert) apply({.scale = -1}, x.data(), x.count());
    return;
  }
  const Stats after = stats_of(x.data(), x.count());
  const double scale = before.standard_deviation / std::max(kLeast, after.standard_deviation);
  apply({.centre = after.mean, .scale = sign * scale, .shift = before.mean}, x.data(), x.count());
}

}  // namespace voxgrad
