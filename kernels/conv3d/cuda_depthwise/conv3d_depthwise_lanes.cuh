#pragma once
// Depthwise convolutions on the ordinary cores: neighbouring threads have neighbouring channels, a thread some outputs of a plane. In f32,
// where the multiply-adds of 3x3x3 take half as long as the bytes, and where there are few of them for an input: stride 2, of which only an
// eighth are outputs, and kernels of one tap along H or W.
#include "kernels/conv3d/cuda_depthwise/conv3d_depthwise.cuh"

namespace voxgrad {

// Rows x kWidth voxels of 32 channels.
template <class T, int kRows, int kWidth>
using DepthwiseLaneTile =
    DepthwiseTile<T, (kRows * kWidth * int(sizeof(T)) * 2 + kDepthwiseThreads - 1) / kDepthwiseThreads, kWidth, false>;

// The weights of the channel of each lane, by all warps: those that are kept are registers of a thread, others lie in shared memory, {taps,
// 32}. of(tap): this lane's.
template <int kAll, bool kKept>
class DepthwiseWeights {
 public:
  template <class F>
  __device__ DepthwiseWeights(unsigned char* memory, F of) : shared_(reinterpret_cast<float*>(memory) + threadIdx.x % 32) {
    for (int tap = int(threadIdx.x) / 32; tap < kAll; tap += kDepthwiseThreads / 32) shared_[tap * kDepthwiseLanes] = of(tap);
  }
  // Behind a barrier, before they are read.
  __device__ void keep() {
    if constexpr (kKept)
#pragma unroll
      for (int tap = 0; tap < kAll; ++tap) kept_[tap] = shared_[tap * kDepthwiseLanes];
  }
  __device__ float operator[](int tap) const { return kKept ? kept_[tap % kCount] : shared_[tap * kDepthwiseLanes]; }

 private:
  static constexpr int kCount = kKept ? kAll : 1;
  float* shared_;
  float kept_[kCount];
};

// Of kernels kD x kH x kW and of the tiles of their blocks, with stride kStride along H and W. Along D it is the same, or any for one tap.
template <int kD_, int kH_, int kW_, int kStride_ = 1>
struct DepthwiseTaps {
  static constexpr int kD = kD_, kH = kH_, kW = kW_, kStride = kStride_, kMost = kH > kW ? kH : kW, kAll = kD * kH * kW;
  static constexpr int kAlong = kD > 1 ? kStride : 1;  // planes of x from one plane of outputs to the next
  static constexpr int kColumns = depthwise_lane_columns(kMost, kStride), kRows = depthwise_lane_rows(kMost, kStride);
  static constexpr int kWarpsAcross = depthwise_wide(kStride) / kColumns;
  static constexpr int kWidth = (depthwise_wide(kStride) - 1) * kStride + kW;
  static constexpr int kHeight = (depthwise_lane_tile(kMost, kStride) - 1) * kStride + kH;
};

// Weights of up to 27 taps are kept.
template <class T, class Taps>
__global__ void __launch_bounds__(kDepthwiseThreads, Taps::kMost == 3 ? 2 : 1)
    conv3d_depthwise_kernel(ConvGather g, DepthwisePlan plan, WeightPack pack, DepthwiseAccess access, const T* x, const float* w,
                            GatherOutput<T> out) {
  constexpr int kRows = Taps::kRows, kStages = depthwise_stages(sizeof(T), Taps::kMost), kAll = Taps::kAll, kD = Taps::kD,
                kS = Taps::kStride;
  constexpr int kColumns = Taps::kColumns, kWidth = Taps::kWidth, kRead = (kColumns - 1) * kS + Taps::kW, kAlong = Taps::kAlong;
  constexpr bool kKept = Taps::kMost == 3;
  VOXGRAD_DYNAMIC_SHARED(memory);
  const DepthwiseBlock block(g, plan, sizeof(T));
  const int lane = int(threadIdx.x) % 32, warp = int(threadIdx.x) / 32;
  const int row0 = warp / Taps::kWarpsAcross * kRows, column0 = warp % Taps::kWarpsAcross * kColumns, channel = block.channel + lane;
  DepthwiseWeights<kAll, kKept> weights(memory + kStages * plan.plane_bytes(), [&](int tap) {
    return channel < g.groups ? weight_of(g, pack, w, channel, tap, 0, 0) : 0.f;
  });
  const auto halo = depthwise_halo<T, DepthwiseLaneTile<T, Taps::kHeight, kWidth>, kStages>(g, plan, block, 0, access, x, memory, kS,
                                                                                            kD > 1 ? 1 : g.axis[0].in_step);
  const DepthwiseWalk<kStages> walk{(block.planes(g, plan) - 1) * kAlong + kD};
  walk.begin(halo);
  __syncthreads();
  weights.keep();
  const float added = channel < g.groups ? out.added(channel) : 0.f;

  // Of the planes of outputs that the latest plane of x is read by; the first of them is complete when its last tap was added.
  constexpr int kPlanes = (kD - 1) / kAlong + 1;
  float sum[kPlanes][kRows][kColumns];
#pragma unroll
  for (int i = 0; i < kPlanes; ++i)
#pragma unroll
    for (int r = 0; r < kRows; ++r)
#pragma unroll
      for (int c = 0; c < kColumns; ++c) sum[i][r][c] = added;
  // A plane of x whose number modulo the stride along D is kRest, as are those of the taps that it meets.
  const auto add = [&]<int kRest>(Width<kRest>, const T* from) {
    // Two rows of inputs at a time where a weight comes from shared memory, which serves two rows of outputs so.
    constexpr int kTogether = kKept || kRows == 1 ? 1 : 2, kReadRows = (kRows - 1) * kS + Taps::kH;
#pragma unroll
    for (int y = 0; y < kReadRows; y += kTogether) {
      float value[kTogether][kRead];
#pragma unroll
      for (int j = 0; j < kTogether; ++j)
#pragma unroll
        for (int i = 0; i < kRead; ++i)
          if (y + j < kReadRows) value[j][i] = float(from[((y + j) * kWidth + i) * kDepthwiseLanes]);
#pragma unroll
      for (int h = 0; h < Taps::kH; ++h) {
        if (y + kTogether - 1 - h < 0 || y - h > (kRows - 1) * kS) continue;
#pragma unroll
        for (int t = kRest; t < kD; t += kAlong)
#pragma unroll
          for (int s = 0; s < Taps::kW; ++s) {
            const float weight = weights[(t * Taps::kH + h) * Taps::kW + s];
#pragma unroll
            for (int j = 0; j < kTogether; ++j) {
              const int r = (y + j - h) / kS;
              if (y + j < h || (y + j - h) % kS != 0 || r >= kRows) continue;
#pragma unroll
              for (int c = 0; c < kColumns; ++c) {
                float& of = sum[kPlanes - 1 - (t + kRest * (kAlong - 1)) / kAlong][r][c];
                of = fmaf(value[j][c * kS + s], weight, of);
              }
            }
          }
      }
    }
  };
  for (int step = 0; step < walk.steps; ++step) {
    walk.advance(step, halo);
    const T* const from =
        reinterpret_cast<const T*>(halo.at(step)) + (row0 * kS * kWidth + column0 * kS) * kDepthwiseLanes + lane;
    if constexpr (kAlong == 2)
      if (step % 2) {
        add(Width<1>{}, from);
        continue;
      }
    add(Width<0>{}, from);
    if (step >= kD - 1 && channel < g.groups) {
      const int64_t d = (block.n * g.axis[0].count + block.d + (step - (kD - 1)) / kAlong) * g.axis[1].count;
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
        for (int i = 0; i + 1 < kPlanes; ++i) sum[i][r][c] = sum[i + 1][r][c];
        sum[kPlanes - 1][r][c] = added;
      }
  }
  cp_async_wait<0>();
}

}  // namespace voxgrad
