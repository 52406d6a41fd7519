#include "augment/noise/noise_kernels.h"
#include "core/rng.h"

namespace voxgrad {

void add_noise(float* x, int64_t begin, int64_t end, float sigma, uint64_t key) {
  constexpr int kPairs = 128;
  uint32_t word[4][kPairs];
  float normal[2][kPairs];
  for (int64_t from = begin; from < end; from += 2 * kPairs) {
    for (int i = 0; i < kPairs; ++i) {
      const Random128 r = philox(key, uint64_t(from / 2 + i));
      for (int k = 0; k < 4; ++k) word[k][i] = r.word[k];
    }
    for (int k = 0; k < 2; ++k)
      for (int i = 0; i < kPairs; ++i) normal[k][i] = normal_of(word[2 * k][i], word[2 * k + 1][i]);
    const int64_t n = end - from < 2 * kPairs ? end - from : 2 * kPairs;
    for (int64_t i = 0; i < n; ++i) x[from + i] += sigma * normal[i & 1][i / 2];
  }
}

}  // namespace voxgrad
