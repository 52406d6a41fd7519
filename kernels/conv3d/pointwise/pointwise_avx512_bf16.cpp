#include <immintrin.h>

#include <type_traits>

#include "kernels/conv3d/pointwise/pointwise_isa.h"

namespace voxgrad::pointwise_avx512_bf16 {
#include "kernels/simd/lanes.h"
// clang-format off: each of these uses what is before it
#include "kernels/conv3d/lane_sums.h"
#include "kernels/conv3d/pointwise/pointwise_rows.h"
// clang-format on

PointwiseIsa<bf16> kernels() { return {kLanes<float>, few_outputs<bf16>, few_inputs<bf16>}; }
}  // namespace voxgrad::pointwise_avx512_bf16
