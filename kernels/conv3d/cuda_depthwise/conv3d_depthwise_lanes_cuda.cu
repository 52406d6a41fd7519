// Depthwise convolutions with stride 2, or of one tap along H or W, on the ordinary cores.
#include "kernels/conv3d/cuda_depthwise/conv3d_depthwise_lanes.cuh"

namespace voxgrad {

template <class T>
void conv_gather_depthwise_lanes(Cuda on, const ConvGather& g, const DepthwisePlan& plan, const WeightPack& pack, const T* x,
                                 const float* w, const GatherOutput<T>& out) {
  const Grid grid{.x = depthwise_blocks(g, plan, sizeof(T)).count(g.n), .threads = kDepthwiseThreads, .shared = plan.shared};
  const auto run = [&]<class Taps>(Taps) {
    launch<conv3d_depthwise_kernel<T, Taps>>(on, grid, g, plan, pack, depthwise_access(g.groups, x), x, w, out);
  };
  const auto go = [&]<int kTaps>(Width<kTaps>) {
    if (plan.stride == 2) plan.taps_d == 1 ? run(DepthwiseTaps<1, kTaps, kTaps, 2>{}) : run(DepthwiseTaps<kTaps, kTaps, kTaps, 2>{});
    else plan.taps_w == 1 ? run(DepthwiseTaps<kTaps, kTaps, 1>{}) : run(DepthwiseTaps<kTaps, 1, kTaps>{});
  };
  plan.taps == 3 ? go(Width<3>{}) : plan.taps == 5 ? go(Width<5>{}) : go(Width<7>{});
}

#define X(T)                                                                                                                      \
  template void conv_gather_depthwise_lanes(Cuda, const ConvGather&, const DepthwisePlan&, const WeightPack&, const T*, const float*, \
                                            const GatherOutput<T>&);
X(float) X(bf16) X(f16)
#undef X

}  // namespace voxgrad
