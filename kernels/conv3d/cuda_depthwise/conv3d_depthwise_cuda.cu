// Depthwise convolutions in f32 on the ordinary cores, whose multiply-adds of 3x3x3 take half as long as the bytes: neighbouring threads
// have neighbouring channels, a thread up to 4 x 4 outputs of a plane.
#include "core/cuda/chip.h"
#include "kernels/conv3d/cuda_depthwise/conv3d_depthwise.cuh"
#include "kernels/conv3d/cuda_depthwise/conv3d_depthwise_mma.cuh"

namespace voxgrad {
namespace {

// 3x3x3 and 3x3 weights are registers; more of them lie in shared memory, {taps, 32}.
template <int kD, int kTaps>
__global__ void __launch_bounds__(kDepthwiseThreads, kTaps == 3 ? 2 : 1)
    conv3d_depthwise_kernel(ConvGather g, DepthwisePlan plan, WeightPack pack, DepthwiseAccess access, const float* x, const float* w,
                            GatherOutput<float> out) {
  constexpr int kRows = depthwise_rows(kTaps), kStages = depthwise_stages(4, kTaps), kAll = kD * kTaps * kTaps;
  constexpr int kColumns = kDepthwiseColumns, kWidth = kDepthwiseWidth + kTaps - 1, kRead = kColumns + kTaps - 1;
  VOXGRAD_DYNAMIC_SHARED(memory);
  const DepthwiseBlock block(g, plan, sizeof(float));
  const int lane = int(threadIdx.x) % 32, warp = int(threadIdx.x) / 32;
  const int row0 = warp / 4 * kRows, column0 = warp % 4 * kColumns, channel = block.channel + lane;
  float* const weights = reinterpret_cast<float*>(memory + kStages * plan.plane_bytes());
  for (int tap = warp; tap < kAll; tap += kDepthwiseThreads / 32)
    weights[tap * kDepthwiseLanes + lane] = channel < g.groups ? weight_of(g, pack, w, channel, tap, 0, 0) : 0.f;
  const auto halo = depthwise_halo<float, kTaps, kStages>(g, plan, block, 0, access, x, memory);
  const DepthwiseWalk<kStages> walk{block.planes(g, plan) + kD - 1};
  walk.begin(halo);
  __syncthreads();
  float kept[kTaps == 3 ? kAll : 1];
  if constexpr (kTaps == 3)
#pragma unroll
    for (int tap = 0; tap < kAll; ++tap) kept[tap] = weights[tap * kDepthwiseLanes + lane];
  const float added = channel < g.groups ? out.added(channel) : 0.f;

  float sum[kD][kRows][kColumns];
#pragma unroll
  for (int i = 0; i < kD; ++i)
#pragma unroll
    for (int r = 0; r < kRows; ++r)
#pragma unroll
      for (int c = 0; c < kColumns; ++c) sum[i][r][c] = added;
  for (int step = 0; step < walk.steps; ++step) {
    walk.advance(step, halo);
    const float* const from = reinterpret_cast<const float*>(halo.at(step)) + (row0 * kWidth + column0) * kDepthwiseLanes + lane;
    // Two rows of inputs at a time where a weight comes from shared memory, which serves two rows of outputs so.
    constexpr int kTogether = kTaps == 3 ? 1 : 2;
#pragma unroll
    for (int y = 0; y < kRows + kTaps - 1; y += kTogether) {
      float value[kTogether][kRead];
#pragma unroll
      for (int j = 0; j < kTogether; ++j)
#pragma unroll
        for (int i = 0; i < kRead; ++i) value[j][i] = from[((y + j) * kWidth + i) * kDepthwiseLanes];
#pragma unroll
      for (int h = 0; h < kTaps; ++h) {
        if (y + kTogether - 1 - h < 0 || y - h >= kRows) continue;
#pragma unroll
        for (int t = 0; t < kD; ++t)
#pragma unroll
          for (int s = 0; s < kTaps; ++s) {
            const int tap = (t * kTaps + h) * kTaps + s;
            const float weight = kTaps == 3 ? kept[tap % int(sizeof(kept) / 4)] : weights[tap * kDepthwiseLanes + lane];
#pragma unroll
            for (int j = 0; j < kTogether; ++j) {
              const int r = y + j - h;
              if (r < 0 || r >= kRows) continue;
#pragma unroll
              for (int c = 0; c < kColumns; ++c) sum[kD - 1 - t][r][c] = fmaf(value[j][c + s], weight, sum[kD - 1 - t][r][c]);
            }
          }
      }
    }
    if (step >= kD - 1 && channel < g.groups) {
      const int64_t d = (block.n * g.axis[0].count + block.d + step - (kD - 1)) * g.axis[1].count;
#pragma unroll
      for (int r = 0; r < kRows; ++r) {
        const int h = block.h + row0 + r, v = block.w + column0;
        if (h >= g.axis[1].count) break;
        const int64_t at = ((d + h) * g.axis[2].count + v) * g.groups + channel;
#pragma unroll
        for (int c = 0; c < kColumns; ++c)
          if (v + c < g.axis[2].count) out.store(sum[0][r][c], channel, at + int64_t(c) * g.groups);
      }
    }
#pragma unroll
    for (int r = 0; r < kRows; ++r)
#pragma unroll
      for (int c = 0; c < kColumns; ++c) {
#pragma unroll
        for (int i = 0; i + 1 < kD; ++i) sum[i][r][c] = sum[i + 1][r][c];
        sum[kD - 1][r][c] = added;
      }
  }
  cp_async_wait<0>();
}

}  // namespace

template <class T>
void conv_gather_depthwise(Cuda on, const ConvGather& g, const WeightPack& pack, const T* x, const float* w, const GatherOutput<T>& out) {
  const DepthwisePlan plan = depthwise_plan(g, sizeof(T), cuda::chip_of(on).multiprocessors);
  const Grid grid{.x = depthwise_blocks(g, plan, sizeof(T)).count(g.n), .threads = kDepthwiseThreads, .shared = plan.shared};
  const DepthwiseAccess access = depthwise_access(g.groups, x);
  const auto go = [&]<int kTaps>(Width<kTaps>) {
    if constexpr (dtype_of<T> == DType::f32) {
      if (plan.taps_d == 1) launch<conv3d_depthwise_kernel<1, kTaps>>(on, grid, g, plan, pack, access, x, w, out);
      else launch<conv3d_depthwise_kernel<kTaps, kTaps>>(on, grid, g, plan, pack, access, x, w, out);
    } else if (plan.taps_d == 1) {
      launch<conv3d_depthwise_mma_kernel<T, 1, kTaps>>(on, grid, g, plan, pack, access, x, w, out);
    } else {
      launch<conv3d_depthwise_mma_kernel<T, kTaps, kTaps>>(on, grid, g, plan, pack, access, x, w, out);
    }
  };
  plan.taps == 3 ? go(Width<3>{}) : plan.taps == 5 ? go(Width<5>{}) : go(Width<7>{});
}

#define X(T) \
  template void conv_gather_depthwise(Cuda, const ConvGather&, const WeightPack&, const T*, const float*, const GatherOutput<T>&);
X(float) X(bf16) X(f16)
#undef X

}  // namespace voxgrad
