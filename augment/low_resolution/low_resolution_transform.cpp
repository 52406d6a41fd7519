#include "augment/low_resolution/low_resolution.h"
#include "augment/low_resolution/low_resolution_formulas.h"
#include "augment/low_resolution/low_resolution_kernels.h"
#include "augment/transform.h"

namespace voxgrad {
namespace {

using Scales = PerChannel<Double3>;

void add_keys(ConfigTable& t, LowResolutionOptions& o) {
  t.number("low_resolution", o.probability, 0, 1, "probability of a simulated low resolution");
  t.range("low_resolution_scale", o.scale, 0.05, 1, "its fraction of the voxels per axis");
}

std::optional<Scales> draw(const LowResolutionOptions& o, const PatchFacts& facts, Rng rng) {
  return draw_channels<Double3>(facts, o.probability, rng, [&](Rng& r) -> std::optional<Double3> {
    if (!r.coin(o.channel_probability)) return {};
    const double s = draw_from(o.scale, r);
    Double3 scale = {s, s, s};
    if (facts.slice_axis >= 0) scale[size_t(facts.slice_axis)] = 1;
    return scale;
  });
}

void apply_low_resolution(const Tensor& image, const Scales& scales) {
  each_channel(scales, [&](int c, const Double3& scale) { simulate_low_resolution(image, c, scale); });
}

void apply_low_resolution_cuda([[maybe_unused]] Cuda on, const BatchImage& image, const std::vector<const Scales*>& samples) {
  const DrawnChannels<Double3> c(samples);
  if (c.empty()) return;
  std::vector<BatchCoarse> coarse;
  for (const Double3& scale : c.drawn) {
    BatchCoarse& low = coarse.emplace_back();
    for (size_t a = 0; a < 3; ++a) low.size[a] = coarse_extent(image.size[a], scale[a]);
  }
  if constexpr (kCuda) batch_low_resolution(on, image, c.places.data(), coarse.data(), c.count());
}

}  // namespace

TransformEntry low_resolution_transform() {
  return IntensityTransform<LowResolutionOptions, Scales>{.name = "low_resolution",
                                                          .summary = "samples channels coarsely and interpolates them back",
                                                          .keys = add_keys,
                                                          .draw = draw,
                                                          .apply = apply_low_resolution,
                                                          .apply_cuda = apply_low_resolution_cuda,
                                                          .stream = 6};
}

}  // namespace voxgrad
