#include <immintrin.h>

#include <type_traits>

#include "kernels/conv3d/depthwise/depthwise_isa.h"

#define VOXGRAD_BF16_PAIRS
namespace voxgrad::depthwise_kernels::avx512_bf16 {
#include "kernels/simd/lanes.h"
// clang-format off: each of these uses what is before it
#include "kernels/conv3d/depthwise/depthwise_rows.h"
// clang-format on

namespace {

VOXGRAD_INLINE Words widened(const bf16* p) {
  Halves h;
  __builtin_memcpy(&h, p, sizeof h);
  return __builtin_convertvector(h, Words);
}

// A voxel of the tile is those of x at it and after it, zeros where there are none.
void load_pairs(const bf16* x, int64_t step, const int64_t* channels, int64_t vectors, const DepthwiseLine<float>& line) {
  constexpr int L = kLanes<float>;
  for (int64_t i = 0; i < vectors; ++i)
    for (int64_t v = 0; v < line.width; ++v)
      if (v < line.first || v >= line.last) store(line.to + i * line.step + v * L, Vector<float>{});
  if (line.first >= line.last) return;
  for (int64_t i = 0; i < vectors; ++i) {
    const bf16* from = x + channels[i];
    float* to = line.to + i * line.step + line.first * L;
    Words here = widened(from);
    if (line.first > 0) store(to - L, reinterpret_cast<Vector<float>>(here << 16));
    for (int64_t v = line.first + 1; v < line.last; ++v, to += L) {
      from += step;
      const Words next = widened(from);
      store(to, reinterpret_cast<Vector<float>>(here | next << 16));
      here = next;
    }
    store(to, reinterpret_cast<Vector<float>>(here));
  }
}

void pair_rows(const DepthwiseRows<bf16>& r) {
  if (r.shape.kernel_width == 2) depthwise_width<bf16, 2>(r);
  else if (r.shape.kernel_width == 3) depthwise_width<bf16, 3>(r);
  else depthwise_width<bf16, 4>(r);
}

}  // namespace

DepthwiseIsa<bf16> pair_kernels() { return {kLanes<float>, load_pairs, pair_rows, nullptr}; }
}  // namespace voxgrad::depthwise_kernels::avx512_bf16
