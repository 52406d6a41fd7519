#include <immintrin.h>

#include <type_traits>
#include <utility>

#include "kernels/conv3d/direct/direct_isa.h"

namespace voxgrad::direct_kernels::VOXGRAD_ISA_NAMESPACE {
#include "kernels/simd/lanes.h"
// clang-format off: each of these uses what is before it
#include "kernels/conv3d/lane_sums.h"
#include "kernels/conv3d/direct/direct_gather.h"
#include "kernels/conv3d/direct/direct_outer.h"
#include "kernels/conv3d/direct/direct_rows.h"
// clang-format on

template <class A>
ConvIsa<A> kernels() {
  return {kLanes<A>,    kVectors,  load_rows<A>, load_lines<A>, load_part<A>, store_rows<A>,      end_rows<A>,        transpose<A>,
          gather<A>, dot<A>, depthwise<A>, outer<A>,      outer_scattered<A>, depthwise_outer<A>, column_sums<A>};
}
template ConvIsa<float> kernels<float>();
template ConvIsa<double> kernels<double>();
}  // namespace voxgrad::direct_kernels::VOXGRAD_ISA_NAMESPACE
