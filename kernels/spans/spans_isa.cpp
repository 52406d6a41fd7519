#include "kernels/spans/spans_isa.h"

#include <immintrin.h>

#include <type_traits>

namespace voxgrad::span_kernels::VOXGRAD_ISA_NAMESPACE {
#include "kernels/simd/lanes.h"

template <class From, class To>
VOXGRAD_INLINE void convert(const From* x, int64_t n, To* y) {
  for_lanes<float>(n, [&](int64_t i, auto lanes) { store(y + i, load(x + i, lanes), lanes); });
}
void widen(const bf16* x, int64_t n, float* y) { convert(x, n, y); }
void widen(const f16* x, int64_t n, float* y) { convert(x, n, y); }
void narrow(const float* x, int64_t n, bf16* y) { convert(x, n, y); }
void narrow(const float* x, int64_t n, f16* y) { convert(x, n, y); }

}  // namespace voxgrad::span_kernels::VOXGRAD_ISA_NAMESPACE
