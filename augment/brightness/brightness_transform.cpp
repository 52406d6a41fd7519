#include "augment/brightness/brightness.h"
#include "augment/brightness/brightness_kernels.h"
#include "augment/channel.h"
#include "augment/intensity/channel_stats.h"
#include "augment/transform.h"

namespace voxgrad {

void multiply_brightness(const Tensor& image, int channel, double factor) {
  Channel x("multiply_brightness", image, channel);
  apply({.scale = factor}, x.data(), x.count());
}

namespace {

using Factors = PerChannel<double>;

void add_keys(ConfigTable& t, BrightnessOptions& o) {
  t.number("brightness", o.probability, 0, 1, "probability of a change of brightness");
  t.range("brightness_factor", o.factor, 0.01, 100, "its factor");
}

std::optional<Factors> draw(const BrightnessOptions& o, const PatchFacts& facts, Rng rng) {
  return draw_channels<double>(facts, o.probability, rng, [&](Rng& r) { return draw_about_one(o.factor, r); });
}

void change_brightness(const Tensor& image, const Factors& factors) {
  each_channel(factors, [&](int c, double factor) { multiply_brightness(image, c, factor); });
}

void change_brightness_cuda([[maybe_unused]] Cuda on, [[maybe_unused]] const BatchImage& image,
                            const std::vector<const Factors*>& samples) {
  const DrawnChannels<double> c(samples);
  if (c.empty()) return;
  if constexpr (kCuda) batch_brightness(on, image, c.places.data(), c.drawn.data(), c.count());
}

}  // namespace

TransformEntry brightness_transform() {
  return IntensityTransform<BrightnessOptions, Factors>{.name = "brightness",
                                                        .summary = "multiplies each channel by a factor",
                                                        .keys = add_keys,
                                                        .draw = draw,
                                                        .apply = change_brightness,
                                                        .apply_cuda = change_brightness_cuda,
                                                        .stream = 4};
}

}  // namespace voxgrad
