#include <immintrin.h>

#include <type_traits>
#include <utility>

#include "kernels/conv3d/direct/direct_isa.h"

#define VOXGRAD_BF16_PAIRS
namespace voxgrad::direct_kernels::avx512_bf16 {
#include "kernels/simd/lanes.h"
// clang-format off: each of these uses what is before it
#include "kernels/conv3d/lane_sums.h"
#include "kernels/conv3d/direct/direct_gather.h"
// clang-format on

void gather_pairs(const ConvRow<float>& r) { gather(r); }

void make_pairs(const float* low, const float* high, int64_t step, float* to, int64_t n) {
  constexpr int64_t L = kLanes<float>;
  const auto halves = [](const float* from) { return reinterpret_cast<Halves>(_mm512_cvtneps_pbh(reinterpret_cast<__m512>(load(from)))); };
  const auto pair = [](float a, float b) {
    return __builtin_bit_cast(float, uint32_t(detail::bf16_from_float(a)) | uint32_t(detail::bf16_from_float(b)) << 16);
  };
  int64_t i = 0;
  if (step == 2) {  // neighbours: the numbers of bf16 in their order
    for (; i + L / 2 <= n; i += L / 2) {
      const Halves made = halves(low + 2 * i);
      __builtin_memcpy(to + i, &made, sizeof made);
    }
    for (; i < n; ++i) to[i] = pair(low[2 * i], low[2 * i + 1]);
    return;
  }
  for (; i + L <= n; i += L) {
    const Words a = __builtin_convertvector(halves(low + i), Words), b = __builtin_convertvector(halves(high + i), Words);
    store(to + i, reinterpret_cast<Vector<float>>(a | b << 16));
  }
  for (; i < n; ++i) to[i] = pair(low[i], high[i]);
}
}  // namespace voxgrad::direct_kernels::avx512_bf16
