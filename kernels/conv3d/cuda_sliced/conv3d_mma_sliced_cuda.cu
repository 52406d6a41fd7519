// The convolutions of conv3d_mma_kernel.cuh whose halo of all taps is too large for shared memory: long dilations, five and seven taps with
// stride 2. A slice of the taps after the other has a halo of its own.
#include "kernels/conv3d/cuda_sliced/conv3d_mma_kernel.cuh"

namespace voxgrad {
namespace {

template <class T, int kColumns, int kWarpsM, int kWarpsN, bool kExact>
__global__ void __launch_bounds__(32 * kWarpsM * kWarpsN, kWarpsM * kWarpsN > 4 || kExact ? 2 : 3)
    conv3d_mma_sliced_kernel(ConvGather g, MmaPlan plan, int rows, GatherInput x, const T* w, GatherOutput<T> out, float* partial) {
  mma_block_sums<T, kSlicedVoxels, kColumns, kWarpsM, kWarpsN, kExact, true>(g, plan, rows, x, w, out, partial);
}

}  // namespace

template <class T>
void conv_gather_mma_sliced(Cuda on, const ConvGather& g, const MmaPlan& p, const WeightPack& pack, bool exact, const GatherInput& x,
                            const float* w, const GatherOutput<T>& out) {
  const auto go = [&]<int kColumns, int kWarpsM, int kWarpsN>(Width<kColumns>, Width<kWarpsM>, Width<kWarpsN>) {
    constexpr int kWarps = kWarpsM * kWarpsN;
    if constexpr (dtype_of<T> == DType::f32 && kColumns <= kMostExactColumns)
      if (exact) return run_mma<conv3d_mma_sliced_kernel<T, kColumns, kWarpsM, kWarpsN, true>>(on, g, p, kWarps, true, pack, x, w, out);
    run_mma<conv3d_mma_sliced_kernel<T, kColumns, kWarpsM, kWarpsN, false>>(on, g, p, kWarps, false, pack, x, w, out);
  };
  if (p.columns == 128) go(Width<128>{}, Width<2>{}, Width<4>{});
  else if (p.columns == 64) go(Width<64>{}, Width<2>{}, Width<2>{});
  else if (p.columns == 32) go(Width<32>{}, Width<4>{}, Width<1>{});
  else go(Width<16>{}, Width<4>{}, Width<1>{});
}

#define X(T) \
  template void conv_gather_mma_sliced(Cuda, const ConvGather&, const MmaPlan&, const WeightPack&, bool, const GatherInput&, const float*, \
                                       const GatherOutput<T>&);
X(float) X(bf16) X(f16)
#undef X

}  // namespace voxgrad
