#pragma once
#include <cstdint>

#include "augment/batch_kernels.h"
#include "core/dtype.h"

namespace voxgrad {

// x = low + range ((sign x - low) / range)^gamma, for sign x in [low, low + range], range > 0.
namespace baseline {
void gamma_curve(float* x, int64_t n, float sign, float low, float range, float gamma);
}
namespace avx2 {
void gamma_curve(float* x, int64_t n, float sign, float low, float range, float gamma);
}
namespace avx512 {
void gamma_curve(float* x, int64_t n, float sign, float low, float range, float gamma);
}

// Of a channel.
struct BatchGamma {
  double gamma;
  bool invert;
};
// Keeps mean and deviation.
void batch_gamma(Cuda, const BatchImage&, const BatchChannel* places, const BatchGamma*, int64_t count);

}  // namespace voxgrad
