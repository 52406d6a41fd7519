#pragma once
// What a block of conv3d_mma_cuda.cu works on, and how outputs leave it.
#include "kernels/conv3d/cuda/conv3d_mma.cuh"
#include "kernels/conv3d/cuda_shares/conv3d_moments.cuh"

namespace voxgrad {

// The block's place: its tile, of a sample, first outputs, output channels and share of the sum.
struct MmaBlock {
  int64_t tile, n;
  int first[3];
  int group, column0, share;
  int chunk0, chunk1, tap0, tap1;
};
__device__ inline MmaBlock mma_block(const ConvGather& g, const MmaPlan& p, int rows) {
  MmaBlock b;
  const int rank = int(blockIdx.x) % p.cluster(), column_groups = rows / p.columns / p.cluster_columns;
  const int tap_groups = p.tap_shares / p.cluster_taps, by_chunks = int(blockIdx.z) / tap_groups, taps = g.taps / p.tap_shares;
  const int by_taps = int(blockIdx.z) % tap_groups * p.cluster_taps + rank / p.cluster_columns;
  b.tile = blockIdx.x / p.cluster();
  b.n = tile_place(g, p.tile, b.tile, b.first);
  b.group = int(blockIdx.y) / column_groups;
  b.column0 = (int(blockIdx.y) % column_groups * p.cluster_columns + rank % p.cluster_columns) * p.columns;
  b.share = by_chunks * p.tap_shares + by_taps;
  b.chunk0 = p.chunks * by_chunks / p.chunk_shares;
  b.chunk1 = p.chunks * (by_chunks + 1) / p.chunk_shares;
  b.tap0 = by_taps * taps;
  b.tap1 = b.tap0 + taps;
  return b;
}

// How many outputs of the tile of this extent there are.
__device__ inline int outputs_inside(const ConvGather& g, const int (&extent)[3], const MmaBlock& b) {
  int count = 1;
  for (int a = 0; a < 3; ++a) {
    const int left = g.axis[a].count - b.first[a];
    count *= left < extent[a] ? left : extent[a];
  }
  return count;
}
// The voxel of y of output v of the tile, or -1.
__device__ inline int64_t voxel_of(const ConvGather& g, const MmaTile& t, const MmaBlock& b, int v, bool dense) {
  const int j[3] = {b.first[0] + t.along(0, v), b.first[1] + t.along(1, v), b.first[2] + t.along(2, v)};
  return output_voxel(g, b.n, j, dense);
}

// The outputs of a block: the voxel of y of number v or -1, and how many there are.
struct TileOutputs {
  const ConvGather& g;
  const MmaTile& tile;
  const MmaBlock& block;
  __device__ int64_t voxel(int v) const { return voxel_of(g, tile, block, v, false); }
  __device__ int inside() const { return outputs_inside(g, tile.extent, block); }
};

// The sums of a block go through shared memory, so that each voxel's channels are stored side by side.
template <class T, int kVoxels, int kColumns, int kWarpsM, int kWarpsN, class Outputs>
__device__ __forceinline__ void store_outputs(const ConvGather& g, const Outputs& outputs, const MmaBlock& block, unsigned char* memory,
                                              const float (&sum)[kVoxels / kWarpsM / 16][kColumns / kWarpsN / 8][4],
                                              const GatherOutput<T>& out) {
  constexpr int kThreads = 32 * kWarpsM * kWarpsN, kM = kVoxels / kWarpsM / 16, kN = kColumns / kWarpsN / 16;
  constexpr int kPerPiece = 16 / int(sizeof(T)), kPitch = (kColumns + 8) * int(sizeof(T)), kPieces = kColumns / kPerPiece;
  const int warp = int(threadIdx.x) / 32, lane = int(threadIdx.x) % 32, warp_m = warp % kWarpsM, warp_n = warp / kWarpsM;
  const int lane_row = lane / 4, lane_column = lane % 4 * 2;
  const int64_t filters = int64_t(g.outputs) * g.groups;
  __syncthreads();
#pragma unroll
  for (int n = 0; n < 2 * kN; ++n) {
    const int m = (warp_n * kN * 2 + n) * 8 + lane_column;
    float b[2] = {};
    for (int e = 0; e < 2; ++e)
      if (block.column0 + m + e < g.outputs) b[e] = out.added(g.channel_of(block.group * g.outputs + block.column0 + m + e));
#pragma unroll
    for (int i = 0; i < kM; ++i)
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        Pack<T, 2> pair;
        for (int e = 0; e < 2; ++e) pair.v[e] = T(sum[i][n][half * 2 + e] + b[e]);
        store_pack(reinterpret_cast<T*>(memory + ((warp_m * kM + i) * 16 + half * 8 + lane_row) * kPitch) + m, pair);
      }
  }
  __syncthreads();
  static_assert(kThreads % kPieces == 0);  // a thread has the same piece of all its voxels
  const int m = int(threadIdx.x) % kPieces * kPerPiece, here = g.outputs - block.column0 - m;
  const int first_channel = block.group * g.outputs + block.column0, channel = here > 0 ? g.channel_of(first_channel + m) : 0;
  const int64_t place = here > 0 ? g.place_of(first_channel + m) + channel : 0;
  NormSums<kPerPiece> sums;
  if (out.sums.parts) sums.begin_piece(out.sums, block.n, int(filters), first_channel + m, here);
  for (int v = int(threadIdx.x) / kPieces; v < kVoxels; v += kThreads / kPieces) {
    const int64_t voxel = here > 0 ? outputs.voxel(v) : -1;
    if (voxel < 0) continue;
    const int64_t at = voxel * g.channels() + place;
    T* const made = reinterpret_cast<T*>(memory + v * kPitch) + m;
    const auto y = out.ended(load_pack<kPerPiece>(made), channel, at, here);
    out.put(y, at, here);
    if (out.moments.parts && out.ends()) store_pack(made, y);
    if (out.sums.parts) sums.add_piece(out.sums, y, at, here, out.whole);
  }
  if (out.sums.parts)
    return store_tile_sums<kPieces, kThreads>(memory, sums, out.sums, block.tile, int(filters), first_channel,
                                              g.outputs - block.column0);
  if (!out.moments.parts) return;
  if (out.ends()) __syncthreads();
  store_tile_moments<T, kVoxels, kColumns, kThreads>(
      memory, kPitch, [&](int v) { return outputs.voxel(v) >= 0; }, out.moments, block.tile, outputs.inside(),
      int(filters), first_channel, g.outputs - block.column0);
}

}  // namespace voxgrad
