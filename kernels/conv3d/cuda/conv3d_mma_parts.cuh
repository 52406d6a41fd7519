#pragma once
// What a block of conv3d_mma_cuda.cu works on.
#include "kernels/conv3d/cuda/conv3d_mma.cuh"

namespace voxgrad {

// The block's place: its sample, first outputs, output channels and share of the sum.
struct MmaBlock {
  int64_t n;
  int first[3];
  int group, column0;
  int chunk0, chunk1, tap0, tap1;
};
__device__ inline MmaBlock mma_block(const ConvGather& g, const MmaPlan& p, int rows) {
  MmaBlock b;
  b.n = tile_place(g, p.tile, blockIdx.x, b.first);
  const int column_blocks = rows / p.columns, share = int(blockIdx.z) / p.tap_shares, taps = g.taps / p.tap_shares;
  b.group = int(blockIdx.y) / column_blocks;
  b.column0 = int(blockIdx.y) % column_blocks * p.columns;
  b.chunk0 = p.chunks * share / p.chunk_shares;
  b.chunk1 = p.chunks * (share + 1) / p.chunk_shares;
  b.tap0 = int(blockIdx.z) % p.tap_shares * taps;
  b.tap1 = b.tap0 + taps;
  return b;
}

// The voxel of y of output v of the tile, or -1.
__device__ inline int64_t voxel_of(const ConvGather& g, const MmaTile& t, const MmaBlock& b, int v, bool dense) {
  const int j[3] = {b.first[0] + t.along(0, v), b.first[1] + t.along(1, v), b.first[2] + t.along(2, v)};
  return output_voxel(g, b.n, j, dense);
}

}  // namespace voxgrad
