#pragma once
#include <cstdint>

#include "core/dtype.h"

namespace voxgrad {

// Over one chunk: sums are of x and x^2 less a common offset, in double.
struct ChunkStats {
  double sum = 0, sum_of_squares = 0;
  float low, high;
};

// Loops over contiguous floats with a variant per instruction set, which several transforms share.
struct IntensityKernels {
  ChunkStats (*stats)(const float* x, int64_t n, float offset);  // n >= 1
  // x = clamp(scale (x - centre) + shift, low, high).
  void (*affine)(float* x, int64_t n, float centre, float scale, float shift, float low, float high);
  // out[i] = sum over k of weights[k] rows[k][i].
  void (*weighted_rows)(const float* const* rows, const float* weights, int taps, float* out, int64_t n);
};
namespace baseline {
extern const IntensityKernels kIntensity;
}
namespace avx2 {
extern const IntensityKernels kIntensity;
}
namespace avx512 {
extern const IntensityKernels kIntensity;
}

const IntensityKernels& intensity_kernels();

}  // namespace voxgrad
