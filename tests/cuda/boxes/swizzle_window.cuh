#pragma once
#include "core/cuda/ptx.h"

namespace voxgrad {

// The first address of dynamic shared memory that is a multiple of 1024, by which swizzles count.
__device__ inline unsigned char* aligned_window(unsigned char* p) {
#ifdef __CUDACC__
  const uint32_t at = SharedAddress(p).value();
#else
  const uint32_t at = emulator::shared_offset(p);
#endif
  return p + (1024 - at % 1024) % 1024;
}

}  // namespace voxgrad
