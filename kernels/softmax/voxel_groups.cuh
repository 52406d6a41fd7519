#pragma once
// Voxels of few or many channels each: kGroup neighbouring lanes of a warp share a voxel, lane l takes its channels l, l + kGroup, ..
#include "core/cuda/launch.h"

namespace voxgrad {

// f(GroupOf<kGroup>{}): as many lanes as keep most of them busy.
template <int N>
struct GroupOf {
  static constexpr int value = N;
};
template <class F>
void on_voxel_group(int64_t channels, F&& f) {
  if (channels <= 8) f(GroupOf<1>{});
  else if (channels <= 64) f(GroupOf<4>{});
  else f(GroupOf<32>{});
}

// The fold over the lanes of a group, in each of them. All lanes of the warp call it.
template <int kGroup, class F>
__device__ float group_fold(float v, F f) {
  for (int step = kGroup / 2; step > 0; step >>= 1) v = f(v, __shfl_xor_sync(0xffffffffu, v, step));
  return v;
}
template <int kGroup>
__device__ float group_sum(float v) {
  return group_fold<kGroup>(v, [](float a, float b) { return a + b; });
}
// The larger one; a NaN stays.
struct LargerOf {
  __device__ float operator()(float a, float b) const { return b > a || b != b ? b : a; }
};
__device__ inline float lowest_float() { return __uint_as_float(0xff800000u); }

// f(voxel, number of channels), the number 0 where the voxel is beyond the end: the lanes of a warp stay together.
template <int kGroup, class F>
__device__ void for_voxel_groups(int64_t voxels, int64_t channels, F f) {
  const int64_t per_block = blockDim.x / kGroup, group = threadIdx.x / kGroup;
  for (int64_t first = int64_t(blockIdx.x) * per_block; first < voxels; first += int64_t(gridDim.x) * per_block)
    f(first + group, first + group < voxels ? channels : 0);
}
inline Grid grid_over_groups(int64_t voxels, int group) {
  const int64_t per_block = 256 / group, blocks = (voxels + per_block - 1) / per_block;
  return {.x = blocks < 65536 ? blocks : 65536};
}
template <int kGroup, class F>
__device__ void for_lane_channels(int64_t channels, F f) {
  for (int64_t k = threadIdx.x % kGroup; k < channels; k += kGroup) f(k);
}

}  // namespace voxgrad
