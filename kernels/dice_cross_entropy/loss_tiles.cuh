#pragma once
// Blocks of the segmentation losses: 256 threads take tiles of voxels, kGroup lanes a voxel, whose logits are loaded and whose gradients
// are stored in one run through shared memory.
#include "core/cuda/launch.h"
#include "kernels/dice_cross_entropy/loss_kernels.h"
#include "kernels/softmax/voxel_groups.cuh"

namespace voxgrad {

inline constexpr int kLossThreads = 256;

// Shapes alone decide. Rows of a tile in shared memory are an odd number of floats apart: no bank conflicts along the voxels.
struct LossTiles {
  int64_t channels, stride;
  int64_t tile, chunk, chunks;  // voxels of a tile and of a block; blocks of a sample
  int64_t slots;                // sums per quantity that a block keeps: several per channel where there are few
};
inline LossTiles loss_tiles(const SegmentationLoss& p, int group) {
  constexpr int64_t kBlocks = 2048, kManyTiles = 32;
  LossTiles t{.channels = p.channels, .stride = p.channels | 1, .tile = kLossThreads / group};
  t.slots = p.channels < kLossThreads ? kLossThreads / p.channels * p.channels : p.channels;
  for (int64_t tiles = 1;; tiles *= 2) {
    t.chunk = tiles * t.tile;
    t.chunks = (p.voxels + t.chunk - 1) / t.chunk;
    if (t.chunks == 1 || t.chunks * p.samples <= kBlocks || (tiles >= kManyTiles && t.chunks <= 4 * kBlocks)) break;
  }
  return t;
}

// Labels of any integer type; -1 where voxels do not count.
struct LossLabels {
  const void* data;
  DType dtype;
  int ignore;
  int64_t channels;
  __device__ int64_t raw(int64_t voxel) const {
    return dtype == DType::u8 ? int64_t(static_cast<const uint8_t*>(data)[voxel])
           : dtype == DType::i16 ? int64_t(static_cast<const int16_t*>(data)[voxel])
                                 : int64_t(static_cast<const int32_t*>(data)[voxel]);
  }
  __device__ bool bad(int64_t y) const { return y != ignore && (y < 0 || y >= channels); }
  __device__ int at(int64_t voxel) const {
    const int64_t y = raw(voxel);
    return y == ignore || bad(y) ? -1 : int(y);
  }
};

// What the voxels of a loss need beside logits and labels.
struct LossWeights {
  const float* of;  // {channels}, or null: all 1
  double smoothing;
  __device__ float operator[](int64_t k) const { return of ? of[k] : 1.f; }
  // The sum over the classes; all threads call it, and get it behind the barrier.
  __device__ float total(int64_t channels) const {
    VOXGRAD_SHARED(float, sum, [1]);
    if (threadIdx.x == 0) {
      double all = of ? 0 : double(channels);
      for (int64_t k = 0; of && k < channels; ++k) all += double(of[k]);
      sum[0] = float(all);
    }
    __syncthreads();
    return sum[0];
  }
};

// z[voxel stride + k] = logits of `count` voxels from `first` on, or back. All threads of the block.
template <class T>
__device__ void load_tile(const LossTiles& t, const T* from, int64_t count, float* z) {
  for (int64_t i = threadIdx.x; i < count * t.channels; i += kLossThreads) {
    const uint32_t v = uint32_t(i) / uint32_t(t.channels);
    z[int64_t(v) * t.stride + (i - int64_t(v) * t.channels)] = float(from[i]);
  }
}
template <class T>
__device__ void store_tile(const LossTiles& t, const float* z, int64_t count, T* to) {
  for (int64_t i = threadIdx.x; i < count * t.channels; i += kLossThreads) {
    const uint32_t v = uint32_t(i) / uint32_t(t.channels);
    to[i] = T(z[int64_t(v) * t.stride + (i - int64_t(v) * t.channels)]);
  }
}

// z becomes e^(z - m), m the largest; the sums are over the channels.
struct LossVoxel {
  float sum, own, weight, smooth;  // sum e, z[y] - m, w[y], sum w (z - m)
};
template <int kGroup>
__device__ LossVoxel exponentiate(float* z, int64_t channels, int y, const LossWeights& weights) {
  float m = lowest_float();
  for_lane_channels<kGroup>(channels, [&](int64_t k) { m = LargerOf{}(m, z[k]); });
  m = group_fold<kGroup>(m, LargerOf{});
  LossVoxel out{};
  for_lane_channels<kGroup>(channels, [&](int64_t k) {
    const float d = z[k] - m, w = weights[k], e = expf(d);
    out.sum += e;
    out.smooth += w * d;
    if (k == y) out.own = d, out.weight = w;
    z[k] = e;
  });
  out.sum = group_sum<kGroup>(out.sum);
  out.smooth = group_sum<kGroup>(out.smooth);
  out.own = group_sum<kGroup>(out.own);
  out.weight = group_sum<kGroup>(out.weight);
  return out;
}

}  // namespace voxgrad
