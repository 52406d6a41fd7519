#pragma once
#include <cstdint>

#include "core/dtype.h"

namespace voxgrad {

// One row of outputs along the last axis. Output w is the largest of x[r][(first[w] + e * dilation) * c] over the rows r and e in
// [begin[w], end[w]); what wins is tap[r] + e.
template <class T>
struct MaxPoolRow {
  int64_t c;
  int out, dilation, rows;
  const int *first, *begin, *end;
  const T* const* x;
  const int32_t* tap;
};

#define VOXGRAD_MAX_POOL_DECLARE(T, I) void max_pool_row(const MaxPoolRow<T>&, T* y, I* winner);
#define VOXGRAD_MAX_POOL_TYPES(X)                                                                                        \
  X(float, uint8_t) X(double, uint8_t) X(bf16, uint8_t) X(f16, uint8_t) X(float, uint16_t) X(double, uint16_t) X(bf16, uint16_t) \
  X(f16, uint16_t)
namespace max_pool_kernels::baseline {
VOXGRAD_MAX_POOL_TYPES(VOXGRAD_MAX_POOL_DECLARE)
}
namespace max_pool_kernels::avx2 {
VOXGRAD_MAX_POOL_TYPES(VOXGRAD_MAX_POOL_DECLARE)
}
namespace max_pool_kernels::avx512 {
VOXGRAD_MAX_POOL_TYPES(VOXGRAD_MAX_POOL_DECLARE)
}
#undef VOXGRAD_MAX_POOL_DECLARE

}  // namespace voxgrad
