// The convolutions of conv3d_mma_kernel.cuh whose taps share one halo.
#include "core/cuda/chip.h"
#include "kernels/conv3d/cuda_sliced/conv3d_mma_kernel.cuh"

namespace voxgrad {
namespace {

template <class T, int kVoxels, int kColumns, int kWarpsM, int kWarpsN, bool kExact>
__global__ void __launch_bounds__(32 * kWarpsM * kWarpsN, kWarpsM * kWarpsN > 8 ? 1 : kWarpsM * kWarpsN > 4 || kExact ? 2 : 3)
    conv3d_mma_kernel(ConvGather g, MmaPlan plan, int rows, GatherInput x, const T* w, GatherOutput<T> out, float* partial) {
  mma_block_sums<T, kVoxels, kColumns, kWarpsM, kWarpsN, kExact, false>(g, plan, rows, x, w, out, partial);
}

}  // namespace

// Of the largest kernel.
int mma_clusters_at_once(Cuda on, int blocks) {
  if (cuda::chip_of(on).architecture != 90) return 0;
  return clusters_at_once<conv3d_mma_kernel<bf16, 128, 160, 2, 5, false>>(
      on, {.x = blocks, .threads = 320, .shared = kMostMmaShared, .cluster = blocks});
}

template <class T>
void conv_gather_mma(Cuda on, const ConvGather& g, const WeightPack& pack, bool exact, const GatherInput& x, const float* w,
                     const GatherOutput<T>& out) {
  const MmaPlan p = mma_plan_on(on, g, sizeof(T), exact);
  if (p.sliced) return conv_gather_mma_sliced<T>(on, g, p, pack, exact, x, w, out);
  const auto is = [&](int voxels, int columns) { return p.tile.voxels() == voxels && p.columns == columns; };
  const auto go = [&]<int kVoxels, int kColumns, int kWarpsM, int kWarpsN>(Width<kVoxels>, Width<kColumns>, Width<kWarpsM>,
                                                                           Width<kWarpsN>) {
    constexpr int kWarps = kWarpsM * kWarpsN;
    if constexpr (dtype_of<T> == DType::f32 && kVoxels <= kMostExactVoxels && kColumns <= kMostExactColumns)
      if (exact)
        return run_mma<conv3d_mma_kernel<T, kVoxels, kColumns, kWarpsM, kWarpsN, true>>(on, g, p, kWarps, true, pack, x, w, out);
    run_mma<conv3d_mma_kernel<T, kVoxels, kColumns, kWarpsM, kWarpsN, false>>(on, g, p, kWarps, false, pack, x, w, out);
  };
  if (is(256, 64)) go(Width<256>{}, Width<64>{}, Width<4>{}, Width<2>{});
  else if (is(256, 32)) go(Width<256>{}, Width<32>{}, Width<4>{}, Width<1>{});
  else if (is(128, 160)) go(Width<128>{}, Width<160>{}, Width<2>{}, Width<5>{});
  else if (is(128, 128)) go(Width<128>{}, Width<128>{}, Width<2>{}, Width<4>{});
  else if (is(128, 64)) go(Width<128>{}, Width<64>{}, Width<2>{}, Width<2>{});
  else if (is(128, 32)) go(Width<128>{}, Width<32>{}, Width<4>{}, Width<1>{});
  else if (is(128, 16)) go(Width<128>{}, Width<16>{}, Width<4>{}, Width<1>{});
  else if (is(64, 160)) go(Width<64>{}, Width<160>{}, Width<1>{}, Width<5>{});
  else if (is(64, 128)) go(Width<64>{}, Width<128>{}, Width<1>{}, Width<4>{});
  else go(Width<64>{}, Width<64>{}, Width<2>{}, Width<2>{});
}

#define X(T) \
  template void conv_gather_mma(Cuda, const ConvGather&, const WeightPack&, bool, const GatherInput&, const float*, \
                                const GatherOutput<T>&);
X(float) X(bf16) X(f16)
#undef X

}  // namespace voxgrad
