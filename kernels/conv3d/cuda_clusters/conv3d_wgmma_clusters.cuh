#pragma once
// What the blocks of a cluster of conv3d_wgmma_cuda.cu do for each other. A block brings its part of the halo of its tile and of the
// weights of its channels, and gives it to the blocks that have the same; it brings it anew when all of these have told it that they have
// read it.
#include "core/cuda/transactions.h"
#include "kernels/conv3d/cuda/conv3d_wgmma.cuh"

namespace voxgrad {

// Where a block is in its cluster: blocks of the same tile are neighbours.
struct ClusterPlace {
  int rank = 0, tile = 0, column = 0;
  ClusterPlace() = default;
  __device__ explicit ClusterPlace(const WgmmaPlan& p) : rank(p.cluster() > 1 ? cluster_rank() : 0) {
    tile = rank >= p.cluster_columns;  // of one or two
    column = tile == 0 ? rank : rank - p.cluster_columns;
  }
  __device__ int64_t tile_of(const WgmmaPlan& p, int64_t item) const { return item % p.tile_groups * p.cluster_tiles + tile; }
  // The blocks with the same channels, one of each tile, and those of the same tile; all of them as bits.
  __device__ int of_channels(const WgmmaPlan& p, int i) const { return column + i * p.cluster_columns; }
  __device__ int of_tile(int i) const { return rank - column + i; }
  __device__ uint16_t all_of_channels(const WgmmaPlan& p) const {
    return uint16_t((p.cluster_tiles == 2 ? 1 << p.cluster_columns | 1 : 1) << column);
  }
  __device__ uint16_t all_of_tile(const WgmmaPlan& p) const { return uint16_t(((1 << p.cluster_columns) - 1) << (rank - column)); }
};

// Of so many units of something those that block `own` of the blocks that share it brings for all of them.
struct OwnPart {
  int first, end;
  __device__ OwnPart(int units, int own, int blocks) : first(units * own / blocks), end(units * (own + 1) / blocks) {}
  __device__ int count() const { return end - first; }
};
// The slots of a halo that a block loads for all blocks of its tile.
struct HaloPart : OwnPart {
  __device__ HaloPart(const WgmmaPlan& p, const ClusterPlace& in) : OwnPart(p.tile.slots(), in.column, p.cluster_columns) {}
  __device__ int bytes() const { return count() * 16; }  // of a plane
  // What the other blocks load.
  __device__ int others(const WgmmaPlan& p) const { return p.parts * kPieces * (p.tile.slots() * 16 - bytes()); }
};
// Sends the part to the other blocks of the tile: by the threads that have loaded it, behind a barrier.
__device__ inline void send_halo(const WgmmaPlan& p, const ClusterPlace& in, const HaloPart& part, const unsigned char* halo,
                                 SharedAddress full, int thread, int threads) {
  const int planes = p.parts * kPieces;
  for (int i = thread; i < planes * (p.cluster_columns - 1); i += threads) {
    const int other = i / planes;
    bulk_send(SharedAddress(halo + (i % planes * p.plane + part.first) * 16), part.bytes(), full, in.of_tile(other + (other >= in.column)));
  }
}

}  // namespace voxgrad
