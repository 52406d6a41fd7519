#pragma once
// Loops over the channels of a batch that a transform changes.
#include "augment/batch_kernels.h"
#include "core/cuda/elements.h"
#include "core/cuda/scratch.h"

namespace voxgrad {

__device__ inline int64_t voxels_of(const BatchImage& image) { return image.size[0] * image.size[1] * image.size[2]; }
// Voxel v of the channel is [v channels].
__device__ inline float* channel_of(const BatchImage& image, const BatchChannel& c) {
  return image.data + c.sample * voxels_of(image) * image.channels + c.channel;
}
// Of this block, where the grid is ChannelTable's.
__device__ inline float* own_channel(const BatchImage& image, const BatchChannel* places) { return channel_of(image, places[blockIdx.y]); }

// The places on the device, and the grid over their voxels.
struct ChannelTable {
  const Scratch table;
  const BatchChannel* places;
  int64_t count, voxels;
  ChannelTable(Cuda on, const BatchImage& image, const BatchChannel* host, int64_t n)
      : table(on, host, n * int64_t(sizeof(BatchChannel))), places(table.as<const BatchChannel>()), count(n),
        voxels(image.size[0] * image.size[1] * image.size[2]) {}
  Grid grid() const {
    Grid g = grid_over(voxels);
    g.y = count;
    return g;
  }
  int64_t bytes() const { return count * voxels * int64_t(sizeof(float)); }  // of {count, voxels}
};

}  // namespace voxgrad
