#include "augment/gamma/gamma.h"

#include <algorithm>

#include "augment/channel.h"
#include "augment/gamma/gamma_kernels.h"
#include "augment/intensity/channel_stats.h"
#include "core/device/isa.h"
#include "core/device/parallel.h"

namespace voxgrad {

void adjust_gamma(const Tensor& image, int channel, const GammaOptions& o) {
  check(o.gamma > 0, "adjust_gamma: gamma ", o.gamma, " is not positive");
  constexpr double kLeast = 1e-7;  // range and deviation are taken to be at least this
  Channel x("adjust_gamma", image, channel);
  const ChannelStats before = stats_of(x.data(), x.count());
  const float sign = o.invert ? -1.f : 1.f, low = o.invert ? -before.high : before.low;
  const float range = float(std::max(kLeast, double(before.high) - double(before.low)));
  const auto curve = VOXGRAD_BY_ISA(voxgrad, gamma_curve);
  parallel_chunks(x.count(), kChannelChunk,
                  [&](int64_t, int64_t b, int64_t e) { curve(x.data() + b, e - b, sign, low, range, float(o.gamma)); });
  if (!o.retain_stats) {
    if (o.invert) apply({.scale = -1}, x.data(), x.count());
    return;
  }
  const ChannelStats after = stats_of(x.data(), x.count());
  const double scale = before.standard_deviation / std::max(kLeast, after.standard_deviation);
  apply({.centre = after.mean, .scale = sign * scale, .shift = before.mean}, x.data(), x.count());
}

}  // namespace voxgrad
