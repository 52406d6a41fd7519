#include <immintrin.h>

#include <algorithm>
#include <type_traits>
#include <utility>

#include "kernels/conv3d/few_voxels/few_voxels_isa.h"
#include "kernels/conv3d/pieces.h"

namespace voxgrad::few_voxels_kernels::VOXGRAD_ISA_NAMESPACE {
#include "kernels/simd/lanes.h"
// clang-format off: each of these uses what is before it
#include "kernels/conv3d/lane_sums.h"
#include "kernels/conv3d/few_voxels/few_voxels_loops.h"
// clang-format on

template <class A>
FewIsa<A> kernels() {
  return {kLanes<A>, kOutputs, dots<A>, spread<A>, outer<A>};
}
template FewIsa<float> kernels<float>();
template FewIsa<double> kernels<double>();
}  // namespace voxgrad::few_voxels_kernels::VOXGRAD_ISA_NAMESPACE
