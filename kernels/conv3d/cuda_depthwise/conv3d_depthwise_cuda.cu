// Which kernel a depthwise convolution takes, and those with stride 1 and as many taps along H as along W.
#include "core/cuda/chip.h"
#include "kernels/conv3d/cuda_depthwise/conv3d_depthwise_lanes.cuh"
#include "kernels/conv3d/cuda_depthwise/conv3d_depthwise_mma.cuh"

namespace voxgrad {

template <class T>
void conv_gather_depthwise(Cuda on, const ConvGather& g, const WeightPack& pack, const T* x, const float* w, const GatherOutput<T>& out) {
  const DepthwisePlan plan = depthwise_plan(g, sizeof(T), cuda::chip_of(on).multiprocessors);
  const Grid grid{.x = depthwise_blocks(g, plan, sizeof(T)).count(g.n), .threads = kDepthwiseThreads, .shared = plan.shared};
  const DepthwiseAccess access = depthwise_access(g.groups, x);
  if (plan.taps_h != plan.taps_w || plan.stride != 1) return conv_gather_depthwise_lanes<T>(on, g, plan, pack, x, w, out);
  const auto go = [&]<int kTaps>(Width<kTaps>) {
    const auto of = [&]<int kD>(Width<kD>) {
      if constexpr (dtype_of<T> == DType::f32)
        launch<conv3d_depthwise_kernel<T, DepthwiseTaps<kD, kTaps, kTaps>>>(on, grid, g, plan, pack, access, x, w, out);
      else launch<conv3d_depthwise_mma_kernel<T, kD, kTaps>>(on, grid, g, plan, pack, access, x, w, out);
    };
    plan.taps_d == 1 ? of(Width<1>{}) : of(Width<kTaps>{});
  };
  plan.taps == 3 ? go(Width<3>{}) : plan.taps == 5 ? go(Width<5>{}) : go(Width<7>{});
}

#define X(T) \
  template void conv_gather_depthwise(Cuda, const ConvGather&, const WeightPack&, const T*, const float*, const GatherOutput<T>&);
X(float) X(bf16) X(f16)
#undef X

}  // namespace voxgrad
