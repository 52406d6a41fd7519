#pragma once
#include <cstdint>

#include "core/dtype.h"

namespace voxgrad {

// Reflection about the first and the last voxel: -1 is 1, n is n - 2.
VOXGRAD_HD inline int64_t reflected_index(int64_t i, int64_t n) {
  if (n == 1) return 0;
  const int64_t period = 2 * (n - 1);
  i = (i % period + period) % period;
  return i < n ? i : period - i;
}

}  // namespace voxgrad
