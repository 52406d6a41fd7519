#pragma once
#include <cstdint>

#include "core/device/execution.h"
#include "core/view.h"
#include "kernels/pointwise/formulas.h"

namespace voxgrad {

// Lines of complex numbers along one axis of {outer, n, inner, 2}.
struct FftAxis {
  int64_t outer = 1, n = 1, inner = 1;
  double scale() const { return 1 / VOXGRAD_MATH sqrt(double(n)); }
};
struct FftProblem {
  FftAxis axis[3];  // in the order in which they are transformed
  int axes = 1;
  bool inverse = false;
};

constexpr int kFftMostFactors = 64;

// n as a product of radices: fours, one two, then primes in ascending order. The number of them.
inline int fft_radices(int64_t n, int64_t (&radix)[kFftMostFactors]) {
  int count = 0;
  for (int64_t p = 4; n > 1; p = p == 4 ? 2 : p == 2 ? 3 : p + 2) {
    if (p > 4 && p * p > n) p = n;
    for (; n % p == 0; n /= p) radix[count++] = p;
  }
  return count;
}

// exp(-pi i j / n), j being reduced before the angle is rounded.
struct FftRoot {
  double re, im;
};
VOXGRAD_HD inline FftRoot fft_root(int64_t j, int64_t n) {
  const double angle = -3.14159265358979323846 * double(j % (2 * n)) / double(n);
  return {VOXGRAD_MATH cos(angle), VOXGRAD_MATH sin(angle)};
}

// y = the centred orthonormal transform of x; f32 or f64.
void fft_axes(Cpu, const FftProblem&, View x, View y);
void fft_axes(Cuda, const FftProblem&, View x, View y);

}  // namespace voxgrad
