#pragma once
#include <cstdint>

#include "core/device/isa.h"

namespace voxgrad {

// For one instruction set, the same bits in all of them. words: the first two of philox(key, i, stream) for first <= i < first + n.
// normals: normal_of the two (core/rng.h).
#define VOXGRAD_RANDOM_ISA(isa)                                                                                \
  namespace random_kernels::isa {                                                                              \
  void words(uint64_t key, uint64_t stream, uint64_t first, int64_t n, uint32_t* word0, uint32_t* word1);      \
  void normals(const uint32_t* word0, const uint32_t* word1, int64_t n, float* z);                             \
  }
VOXGRAD_RANDOM_ISA(baseline)
VOXGRAD_RANDOM_ISA(avx2)
VOXGRAD_RANDOM_ISA(avx512)
#undef VOXGRAD_RANDOM_ISA

}  // namespace voxgrad
