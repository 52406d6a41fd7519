#pragma once
#include <cstdint>

#include "core/dtype.h"

namespace voxgrad {

// One row of a separable sum: `row` (scratch of `width` elements) is the weighted sum of `count` rows of x, then y {out, c} the taps
// of the last axis of it.
template <class T>
struct SeparableRow {
  int64_t width, out, c;
  const int32_t *begin, *index;
  const accum_t<T>* weight;
  // Beside one channel, where no output has more than 4 taps and none has no tap: the same, padded to `taps` per output.
  int taps;
  const int32_t* padded_index;
  const accum_t<T>* padded_weight;
};

#define VOXGRAD_SEPARABLE_VARIANT(isa)                                                                                          \
  namespace isa {                                                                                                               \
  void separable_row(const SeparableRow<float>&, int count, const float* const* x, const float* weight, float* row, float* y);  \
  void separable_row(const SeparableRow<double>&, int count, const double* const* x, const double* weight, double* row, double* y); \
  void separable_row(const SeparableRow<bf16>&, int count, const bf16* const* x, const float* weight, float* row, bf16* y);     \
  void separable_row(const SeparableRow<f16>&, int count, const f16* const* x, const float* weight, float* row, f16* y);        \
  }
VOXGRAD_SEPARABLE_VARIANT(separable_kernels::baseline)
VOXGRAD_SEPARABLE_VARIANT(separable_kernels::avx2)
VOXGRAD_SEPARABLE_VARIANT(separable_kernels::avx512)
#undef VOXGRAD_SEPARABLE_VARIANT

}  // namespace voxgrad
