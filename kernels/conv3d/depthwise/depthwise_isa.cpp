#include <immintrin.h>

#include <type_traits>

#include "kernels/conv3d/depthwise/depthwise_isa.h"

namespace voxgrad::depthwise_kernels::VOXGRAD_ISA_NAMESPACE {
#include "kernels/simd/lanes.h"
// clang-format off: each of these uses what is before it
#include "kernels/conv3d/depthwise/depthwise_rows.h"
#include "kernels/conv3d/depthwise/depthwise_weights.h"
// clang-format on

template <class T>
DepthwiseIsa<T> kernels() {
  return {kLanes<accum_t<T>>, depthwise_load<T>, depthwise_rows<T>, depthwise_weights<accum_t<T>>};
}
template DepthwiseIsa<float> kernels();
template DepthwiseIsa<double> kernels();
template DepthwiseIsa<bf16> kernels();
template DepthwiseIsa<f16> kernels();
}  // namespace voxgrad::depthwise_kernels::VOXGRAD_ISA_NAMESPACE
