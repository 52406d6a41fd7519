#include <immintrin.h>

#include <type_traits>
#include <utility>

#include "kernels/conv3d/conv3d_isa.h"

#define VOXGRAD_BF16_PAIRS
namespace voxgrad::conv3d_avx512_bf16 {
#include "kernels/simd/lanes.h"
// clang-format off: each of these uses what is before it
#include "kernels/conv3d/lane_sums.h"
#include "kernels/conv3d/conv3d_gather.h"
// clang-format on

void gather_pairs(const ConvRow<float>& r) { gather(r); }
}  // namespace voxgrad::conv3d_avx512_bf16
