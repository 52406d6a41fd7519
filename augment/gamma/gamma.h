#pragma once
#include "core/config/range.h"
#include "core/tensor.h"

namespace voxgrad {

// Of the transforms gamma and inverted_gamma; the key of the exponents is one.
struct GammaCurveOptions {
  double probability = 0.3;
  Range gamma = {0.7, 1.5};  // about 1, per channel; mean and standard deviation are retained
};
struct InvertedGammaOptions {
  double probability = 0.1;
  Range gamma = {0.7, 1.5};
};

struct GammaOptions {
  double gamma = 1;
  bool invert = false;       // apply to -x and negate the result: what is bright is spread instead of what is dark
  bool retain_stats = true;  // shift and scale to the mean and standard deviation from before
};
// min + range ((x - min) / range)^gamma, range = max - min; one channel of an image f32 {D, H, W, C}, in place.
void adjust_gamma(const Tensor& image, int channel, const GammaOptions&);

}  // namespace voxgrad
