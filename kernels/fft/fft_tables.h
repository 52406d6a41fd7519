#pragma once
#include "kernels/fft/fft_kernels.h"

namespace voxgrad {

// Lines that are transformed side by side.
constexpr int64_t kFftLanes = 16;

// Roots of unity exp(-2 pi i k / n), pairs of real and imaginary part, and the radices of n.
template <class T>
struct FftTable {
  int64_t n = 1;
  int radices = 0;
  int64_t radix[kFftMostFactors] = {};
  const T* roots = nullptr;
};

// The transform of length n as a convolution of length m (Bluestein 1970), where n has a large prime factor: chirp[j] =
// exp(-pi i j^2 / n), filter = the transform of its conjugate, wrapped to m. Without it m is 0.
template <class T>
struct FftChirp {
  int64_t m = 0;
  const T *chirp = nullptr, *filter = nullptr;
};

#define VOXGRAD_FFT_VARIANT(isa)                                                                                          \
  namespace isa {                                                                                                         \
  /* lines {n, 2, kFftLanes} are transformed, uncentred and without a factor; `other` is as large. Where the result is. */ \
  float* fft_lines(const FftTable<float>&, float* lines, float* other);                                                   \
  double* fft_lines(const FftTable<double>&, double* lines, double* other);                                               \
  /* the same for lines of length n in memory for m, the table being that of m. */                                        \
  float* fft_chirped(const FftTable<float>&, const FftChirp<float>&, int64_t n, float* lines, float* other);              \
  double* fft_chirped(const FftTable<double>&, const FftChirp<double>&, int64_t n, double* lines, double* other);         \
  }
VOXGRAD_FFT_VARIANT(fft_kernels::baseline)
VOXGRAD_FFT_VARIANT(fft_kernels::avx2)
VOXGRAD_FFT_VARIANT(fft_kernels::avx512)
#undef VOXGRAD_FFT_VARIANT

}  // namespace voxgrad
