#include "augment/gamma/gamma_curves.h"

namespace voxgrad {
namespace {

void add_keys(ConfigTable& t, InvertedGammaOptions& o) {
  t.number("inverted_gamma", o.probability, 0, 1, "probability of a gamma curve on the inverted image");
  t.range("gamma_range", o.gamma, 0.05, 20, "exponents of both");
}

}  // namespace

TransformEntry inverted_gamma_transform() {
  return IntensityTransform<InvertedGammaOptions, GammaExponents>{.name = "inverted_gamma",
                                                                  .summary = "as gamma, of the image upside down",
                                                                  .keys = add_keys,
                                                                  .draw = draw_gamma,
                                                                  .apply = change_gamma<true>,
                                                                  .apply_cuda = change_gamma_cuda<true>,
                                                                  .stream = 7};
}

}  // namespace voxgrad
