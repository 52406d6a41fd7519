#include <immintrin.h>

#include <type_traits>

#include "kernels/conv3d/pointwise/pointwise_isa.h"

namespace voxgrad::pointwise_kernels::VOXGRAD_ISA_NAMESPACE {
#include "kernels/simd/lanes.h"
// clang-format off: each of these uses what is before it
#include "kernels/conv3d/lane_sums.h"
#include "kernels/conv3d/pointwise/pointwise_rows.h"
// clang-format on

template <class T>
PointwiseIsa<T> kernels() {
  return {kLanes<accum_t<T>>, few_outputs<T>, few_inputs<T>};
}
template PointwiseIsa<float> kernels();
template PointwiseIsa<double> kernels();
template PointwiseIsa<bf16> kernels();
template PointwiseIsa<f16> kernels();
}  // namespace voxgrad::pointwise_kernels::VOXGRAD_ISA_NAMESPACE
