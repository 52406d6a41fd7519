#include "kernels/separable/separable_variants.h"

namespace voxgrad::separable_kernels::VOXGRAD_ISA_NAMESPACE {
namespace {
#include "kernels/separable/separable_rows.h"
}  // namespace

#define X(T)                                                                                                                    \
  void separable_row(const SeparableRow<T>& p, int count, const T* const* x, const accum_t<T>* weight, accum_t<T>* row, T* y) { \
    row_of(p, count, x, weight, row, y);                                                                                        \
  }
X(float)
X(double)
X(bf16)
X(f16)
#undef X
}  // namespace voxgrad::separable_kernels::VOXGRAD_ISA_NAMESPACE
