#pragma once
#include <cstdint>

#include "core/dtype.h"

namespace voxgrad {

// Over one chunk: sums are of x and x^2 less a common offset, in double.
struct ChunkStats {
  double sum = 0, sum_of_squares = 0;
  float low, high;
};

// Loops over contiguous floats with a variant per instruction set.
struct IntensityKernels {
  ChunkStats (*stats)(const float* x, int64_t n, float offset);  // n >= 1
  // x = clamp(scale (x - centre) + shift, low, high).
  void (*affine)(float* x, int64_t n, float centre, float scale, float shift, float low, float high);
  // x = low + range ((sign x - low) / range)^gamma, for sign x in [low, low + range], range > 0.
  void (*gamma)(float* x, int64_t n, float sign, float low, float range, float gamma);
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

// x[i] += sigma n, n standard normal from words 0 and 1 (even i) or 2 and 3 (odd i) of philox(key, i / 2), for i in [begin, end), both
// even or end the last: the same bits on every instruction set.
void add_noise(float* x, int64_t begin, int64_t end, float sigma, uint64_t key);

}  // namespace voxgrad
