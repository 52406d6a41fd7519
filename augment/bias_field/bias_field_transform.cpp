#include <cmath>

#include "augment/bias_field/bias_field.h"
#include "augment/bias_field/bias_field_formulas.h"
#include "augment/bias_field/bias_field_kernels.h"
#include "augment/channel.h"
#include "augment/intensity/channel_stats.h"
#include "augment/transform.h"
#include "core/device/parallel.h"

namespace voxgrad {

void multiply_bias_field(const Tensor& image, int channel, const BiasCoefficients& coefficients) {
  Channel x("multiply_bias_field", image, channel);
  const Int3 size = x.size();
  const float low = stats_of(x.data(), x.count()).low;
  parallel_for(int64_t(size.d) * size.h, 16, [&](int64_t row) {
    const float d = bias_place(row / size.h, size.d), h = bias_place(row % size.h, size.h);
    float* const voxels = x.data() + row * size.w;
    for (int w = 0; w < size.w; ++w)
      voxels[w] = low + (voxels[w] - low) * std::exp(bias_polynomial(coefficients.data(), d, h, bias_place(w, size.w)));
  });
}

namespace {

using Fields = PerChannel<BiasCoefficients>;

void add_keys(ConfigTable& t, BiasFieldOptions& o) {
  t.number("bias_field", o.probability, 0, 1, "probability of a smooth field that multiplies the image, as of a coil in MR");
  t.range("bias_field_coefficient", o.coefficient, -2, 2, "the coefficients of the polynomial that is its logarithm");
}

std::optional<Fields> draw(const BiasFieldOptions& o, const PatchFacts& facts, Rng rng) {
  return draw_channels<BiasCoefficients>(facts, o.probability, rng, [&](Rng& r) {
    BiasCoefficients coefficients;
    for (float& c : coefficients) c = float(draw_from(o.coefficient, r));
    return coefficients;
  });
}

void change_bias_field(const Tensor& image, const Fields& fields) {
  each_channel(fields, [&](int c, const BiasCoefficients& coefficients) { multiply_bias_field(image, c, coefficients); });
}

void change_bias_field_cuda([[maybe_unused]] Cuda on, [[maybe_unused]] const BatchImage& image, const std::vector<const Fields*>& samples) {
  const DrawnChannels<BiasCoefficients> c(samples);
  if (c.empty()) return;
  if constexpr (kCuda) batch_bias_field(on, image, c.places.data(), c.drawn[0].data(), c.count(), kBiasPowers);
}

}  // namespace

TransformEntry bias_field_transform() {
  return IntensityTransform<BiasFieldOptions, Fields>{.name = "bias_field",
                                                      .summary = "multiplies channels by a smooth field, as a coil in MR does",
                                                      .keys = add_keys,
                                                      .draw = draw,
                                                      .apply = change_bias_field,
                                                      .apply_cuda = change_bias_field_cuda};
}

}  // namespace voxgrad
