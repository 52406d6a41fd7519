#pragma once
// Gradients of weights of depthwise convolutions: gw[c, tap] = the sum over the voxels of x[v + tap, c] gy[v, c]. Planes of x and of gy are
// rings in shared memory, and a block keeps the sums of its tile until the end.
#include "kernels/conv3d/cuda_depthwise/conv3d_depthwise_lanes.cuh"

namespace voxgrad {

// The ring of gy. At step s its plane s is there, and those of the kBefore steps before it, zeros where they are not the block's.
template <class T, class Tile, int kStages, int kBefore>
__device__ DepthwiseRing<T, Tile, kStages, kBefore> depthwise_gradient(const ConvGather& g, const DepthwisePlan& plan,
                                                                       const DepthwiseBlock& b, DepthwiseAccess access, const T* gy,
                                                                       unsigned char* memory) {
  const int plane = g.axis[1].count * g.axis[2].count * g.groups;
  return {{plan.rows, plan.bits, g.axis[1].count, g.axis[2].count, b.h, b.w, g.groups, b.channel}, access,
          gy + (b.n * g.axis[0].count + b.d) * plane, plane, 0, b.planes(g, plan), plan.tile_bytes(), memory};
}

// partial {tiles, channels, taps}: the sums {parts, kCount taps, channels} of the block, added in their order; its first tap is `tap`.
template <int kCount>
__device__ void store_depthwise_sums(const ConvGather& g, const DepthwiseBlock& b, int channels, int blocks, int parts, int tap,
                                     const float* sums, float* partial) {
  for (int i = int(threadIdx.x); i < kCount * channels; i += kDepthwiseThreads) {
    const int c = i % channels, channel = b.channel + c;
    if (channel >= g.groups) continue;
    float total = 0;
    for (int p = 0; p < parts; ++p) total += sums[p * kCount * channels + i];
    partial[(blockIdx.x / blocks * int64_t(g.groups) + channel) * g.taps + tap + i / channels] = total;
  }
}

// On the ordinary cores: a thread has a channel of half a row of outputs. Taps: those of a block, which are all or those of one plane along
// D.
template <class T, class Taps>
__global__ void __launch_bounds__(kDepthwiseThreads, Taps::kMost == 7 && Taps::kD > 1 ? 1 : 2)
    conv3d_depthwise_weights_kernel(ConvGather g, DepthwisePlan plan, DepthwiseAccess of_x, DepthwiseAccess of_gy, const T* x, const T* gy,
                                    float* partial) {
  constexpr int kT = Taps::kD, kH = Taps::kH, kW = Taps::kW, kS = Taps::kStride, kAlong = Taps::kAlong, kCount = Taps::kAll;
  constexpr int kWide = depthwise_wide(kS), kVoxels = kWide / 2, kRead = (kVoxels - 1) * kS + kW, kWidth = (kWide - 1) * kS + kW;
  constexpr int kRows = kDepthwiseWeightRows, kHeight = (kRows - 1) * kS + kH, kStages = depthwise_weight_stages(sizeof(T), kH, kW);
  VOXGRAD_DYNAMIC_SHARED(memory);
  const DepthwiseBlock block(g, plan, sizeof(T));
  const int lane = int(threadIdx.x) % 32, warp = int(threadIdx.x) / 32, row = warp / 2, column = warp % 2 * kVoxels;
  const auto halo = depthwise_halo<T, DepthwiseLaneTile<T, kHeight, kWidth>, kStages>(
      g, plan, block, int(blockIdx.y), of_x, x, memory, kS, kAlong == 1 ? g.axis[0].in_step : 1);
  // A plane of gy for kAlong of x.
  const auto gradients = depthwise_gradient<T, DepthwiseLaneTile<T, kRows, kWide>, kStages, (kT - 1) / kAlong>(
      g, plan, block, of_gy, gy, memory + kStages * plan.plane_bytes());
  const DepthwiseSlowRing<kAlong, decltype(gradients)> slow{gradients};
  const DepthwiseWalk<kStages> walk{(block.planes(g, plan) - 1) * kAlong + kT};
  walk.begin(halo, slow);
  float sum[kT][kH][kW] = {};
  // A plane of x whose number modulo the stride along D is kRest, as are those of the taps that meet it.
  const auto add = [&]<int kRest>(Width<kRest>, int step) {
    float gradient[kT][kVoxels];
#pragma unroll
    for (int t = kRest; t < kT; t += kAlong) {
      const T* const from = reinterpret_cast<const T*>(gradients.at((step - t) / kAlong)) + (row * kWide + column) * 32 + lane;
#pragma unroll
      for (int i = 0; i < kVoxels; ++i) gradient[t][i] = float(from[i * 32]);
    }
    const T* const from = reinterpret_cast<const T*>(halo.at(step)) + (row * kS * kWidth + column * kS) * 32 + lane;
#pragma unroll
    for (int h = 0; h < kH; ++h) {
      float value[kRead];
#pragma unroll
      for (int i = 0; i < kRead; ++i) value[i] = float(from[(h * kWidth + i) * 32]);
#pragma unroll
      for (int t = kRest; t < kT; t += kAlong)
#pragma unroll
        for (int s = 0; s < kW; ++s)
#pragma unroll
          for (int i = 0; i < kVoxels; ++i) sum[t][h][s] = fmaf(value[i * kS + s], gradient[t][i], sum[t][h][s]);
    }
  };
  for (int step = 0; step < walk.steps; ++step) {
    walk.advance(step, halo, slow);
    if (kAlong == 2 && step % 2) add(Width<kAlong - 1>{}, step);
    else add(Width<0>{}, step);
  }
  cp_async_wait<0>();
  __syncthreads();
  float* const sums = reinterpret_cast<float*>(memory);
#pragma unroll
  for (int t = 0; t < kT; ++t)
#pragma unroll
    for (int h = 0; h < kH; ++h)
#pragma unroll
      for (int s = 0; s < kW; ++s) sums[(warp * kCount + (t * kH + h) * kW + s) * 32 + lane] = sum[t][h][s];
  __syncthreads();
  store_depthwise_sums<kCount>(g, block, 32, depthwise_blocks(g, plan, sizeof(T)).channels, 8, int(blockIdx.y) * kH * kW, sums, partial);
}

}  // namespace voxgrad
