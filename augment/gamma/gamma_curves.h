#pragma once
#include "augment/gamma/gamma.h"
#include "augment/gamma/gamma_kernels.h"
#include "augment/transform.h"

// What the transforms gamma and inverted_gamma share.
namespace voxgrad {

using GammaExponents = PerChannel<double>;

template <class O>
std::optional<GammaExponents> draw_gamma(const O& o, const PatchFacts& facts, Rng rng) {
  return draw_channels<double>(facts, o.probability, rng, [&](Rng& r) { return draw_about_one(o.gamma, r); });
}

template <bool invert>
void change_gamma(const Tensor& image, const GammaExponents& exponents) {
  each_channel(exponents, [&](int c, double gamma) { adjust_gamma(image, c, {.gamma = gamma, .invert = invert}); });
}

template <bool invert>
void change_gamma_cuda([[maybe_unused]] Cuda on, [[maybe_unused]] const BatchImage& image,
                       const std::vector<const GammaExponents*>& samples) {
  const DrawnChannels<double> c(samples);
  if (c.empty()) return;
  std::vector<BatchGamma> curves;
  for (double gamma : c.drawn) curves.push_back({gamma, invert});
  if constexpr (kCuda) batch_gamma(on, image, c.places.data(), curves.data(), c.count());
}

}  // namespace voxgrad
