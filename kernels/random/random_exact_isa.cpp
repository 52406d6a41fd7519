#include "core/dtype.h"
#include "kernels/random/random_isa.h"

namespace voxgrad::random_kernels::VOXGRAD_ISA_NAMESPACE {
// clang-format off: in this namespace
#include "core/rng.h"
// clang-format on

// Calls are no vectors, so they are compiled in.
__attribute__((flatten)) void words(uint64_t key, uint64_t stream, uint64_t first, int64_t n, uint32_t* word0, uint32_t* word1) {
  for (int64_t i = 0; i < n; ++i) {
    const voxgrad::Random128 r = voxgrad::philox(key, first + uint64_t(i), stream);
    word0[i] = r.word[0], word1[i] = r.word[1];
  }
}
__attribute__((flatten)) void normals(const uint32_t* word0, const uint32_t* word1, int64_t n, float* z) {
  for (int64_t i = 0; i < n; ++i) z[i] = voxgrad::normal_of(word0[i], word1[i]);
}

}  // namespace voxgrad::random_kernels::VOXGRAD_ISA_NAMESPACE
