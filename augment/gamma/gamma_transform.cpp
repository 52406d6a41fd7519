#include "augment/gamma/gamma_curves.h"

namespace voxgrad {
namespace {

void add_keys(ConfigTable& t, GammaCurveOptions& o) {
  t.number("gamma", o.probability, 0, 1, "probability of a gamma curve");
  t.range("gamma_range", o.gamma, 0.05, 20, "exponents of both");
}

}  // namespace

TransformEntry gamma_transform() {
  return IntensityTransform<GammaCurveOptions, GammaExponents>{.name = "gamma",
                                                               .summary = "bends each channel's intensities by a power",
                                                               .keys = add_keys,
                                                               .draw = draw_gamma,
                                                               .apply = change_gamma<false>,
                                                               .apply_cuda = change_gamma_cuda<false>,
                                                               .stream = 8};
}

}  // namespace voxgrad
