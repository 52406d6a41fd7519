#include "kernels/spans/spans_isa.h"

#include <immintrin.h>

#include <type_traits>

namespace voxgrad::span_kernels::VOXGRAD_ISA_NAMESPACE {
#include "kernels/simd/lanes.h"

void widen(const bf16* x, int64_t n, float* y) {
  for_lanes<float>(n, [&](int64_t i, auto lanes) { store(y + i, load(x + i, lanes), lanes); });
}
void widen(const f16* x, int64_t n, float* y) {
  for_lanes<float>(n, [&](int64_t i, auto lanes) { store(y + i, load(x + i, lanes), lanes); });
}
void narrow(const float* x, int64_t n, bf16* y) {
  for_lanes<float>(n, [&](int64_t i, auto lanes) { store(y + i, load(x + i, lanes), lanes); });
}
void narrow(const float* x, int64_t n, f16* y) {
  for_lanes<float>(n, [&](int64_t i, auto lanes) { store(y + i, load(x + i, lanes), lanes); });
}

}  // namespace voxgrad::span_kernels::VOXGRAD_ISA_NAMESPACE
