#include "augment/channel.h"
#include "augment/contrast/contrast.h"
#include "augment/contrast/contrast_kernels.h"
#include "augment/intensity/channel_stats.h"
#include "augment/transform.h"

namespace voxgrad {

void adjust_contrast(const Tensor& image, int channel, double factor, bool preserve_range) {
  Channel x("adjust_contrast", image, channel);
  const ChannelStats s = stats_of(x.data(), x.count());
  ChannelLine line{.centre = s.mean, .scale = factor, .shift = s.mean};
  if (preserve_range) {
    line.low = s.low;
    line.high = s.high;
  }
  apply(line, x.data(), x.count());
}

namespace {

using Factors = PerChannel<double>;

void add_keys(ConfigTable& t, ContrastOptions& o) {
  t.number("contrast", o.probability, 0, 1, "probability of a change of contrast");
  t.range("contrast_factor", o.factor, 0.01, 100, "its factor");
}

std::optional<Factors> draw(const ContrastOptions& o, const PatchFacts& facts, Rng rng) {
  return draw_channels<double>(facts, o.probability, rng, [&](Rng& r) { return draw_about_one(o.factor, r); });
}

void change_contrast(const Tensor& image, const Factors& factors) {
  each_channel(factors, [&](int c, double factor) { adjust_contrast(image, c, factor); });
}

void change_contrast_cuda([[maybe_unused]] Cuda on, [[maybe_unused]] const BatchImage& image, const std::vector<const Factors*>& samples) {
  const DrawnChannels<double> c(samples);
  if (c.empty()) return;
  if constexpr (kCuda) batch_contrast(on, image, c.places.data(), c.drawn.data(), c.count());
}

}  // namespace

TransformEntry contrast_transform() {
  return IntensityTransform<ContrastOptions, Factors>{.name = "contrast",
                                                      .summary = "spreads each channel about its mean, within its range",
                                                      .keys = add_keys,
                                                      .draw = draw,
                                                      .apply = change_contrast,
                                                      .apply_cuda = change_contrast_cuda,
                                                      .stream = 5};
}

}  // namespace voxgrad
