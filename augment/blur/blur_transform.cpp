#include "augment/blur/blur.h"
#include "augment/blur/blur_kernels.h"
#include "augment/transform.h"

namespace voxgrad {
namespace {

using Sigmas = PerChannel<Double3>;

void add_keys(ConfigTable& t, BlurOptions& o) {
  t.number("blur", o.probability, 0, 1, "probability of a Gaussian blur");
  t.range("blur_sigma", o.sigma, 0, 10, "its width in voxels");
}

std::optional<Sigmas> draw(const BlurOptions& o, const PatchFacts& facts, Rng rng) {
  return draw_channels<Double3>(facts, o.probability, rng, [&](Rng& r) -> std::optional<Double3> {
    if (!r.coin(o.channel_probability)) return {};
    Double3 sigma;
    for (double& s : sigma) s = draw_from(o.sigma, r);
    return sigma;
  });
}

void apply_blur(const Tensor& image, const Sigmas& sigmas) {
  each_channel(sigmas, [&](int c, const Double3& sigma) { gaussian_blur(image, c, sigma); });
}

void apply_blur_cuda([[maybe_unused]] Cuda on, [[maybe_unused]] const BatchImage& image, const std::vector<const Sigmas*>& samples) {
  const DrawnChannels<Double3> c(samples);
  if (c.empty()) return;
  std::vector<BatchBlur> blurs;
  std::vector<float> weights;
  for (const Double3& sigma : c.drawn) {
    BatchBlur& b = blurs.emplace_back();
    for (size_t a = 0; a < 3; ++a) {
      const std::vector<float> taps = gaussian_taps(sigma[a]);
      b.taps[a] = int64_t(weights.size());
      b.half[a] = int(taps.size() / 2);
      weights.insert(weights.end(), taps.begin(), taps.end());
    }
  }
  if constexpr (kCuda) batch_blur(on, image, c.places.data(), blurs.data(), c.count(), weights.data(), int64_t(weights.size()));
}

}  // namespace

TransformEntry blur_transform() {
  return IntensityTransform<BlurOptions, Sigmas>{.name = "blur",
                                                 .summary = "smooths channels by a Gaussian",
                                                 .keys = add_keys,
                                                 .draw = draw,
                                                 .apply = apply_blur,
                                                 .apply_cuda = apply_blur_cuda,
                                                 .stream = 3};
}

}  // namespace voxgrad
