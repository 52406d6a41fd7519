#pragma once
// What the blocks of a cluster of conv3d_wgmma_weights_cuda.cu do for each other. They go through the same tiles. Those of the same
// channels of x have the same halo, those of the same channels of gy the same gy: of both a block brings a part and sends it to the others,
// and it brings the next one when all blocks of the cluster have told it that they have read this one.
#include "kernels/conv3d/cuda/conv3d_wgmma_boxes.cuh"
#include "kernels/conv3d/cuda/conv3d_wgmma_weights.cuh"

namespace voxgrad {

// Blocks of a cluster that share what they load: how many, and which of them this one is.
struct WeightsTeam {
  int blocks = 1, own = 0;
};

// Where a block is in its cluster: groups of taps are neighbours, then blocks of channels of gy, then those of x.
struct WeightsPlace {
  int chunk = 0, column = 0, taps = 0;
  __device__ explicit WeightsPlace(const WgmmaWeightsPlan& p) {
    if (p.cluster == 1) return;
    const int rank = cluster_rank();
    taps = rank % p.cluster_taps;
    column = rank / p.cluster_taps % p.cluster_columns;
    chunk = rank / p.cluster_taps / p.cluster_columns;
  }
  __device__ WeightsTeam of_halo(const WgmmaWeightsPlan& p) const {
    return {p.cluster_columns * p.cluster_taps, column * p.cluster_taps + taps};
  }
  __device__ WeightsTeam of_gy(const WgmmaWeightsPlan& p) const {
    return {p.cluster_chunks * p.cluster_taps, chunk * p.cluster_taps + taps};
  }
  // Block i of these, in the cluster.
  __device__ int of_halo(const WgmmaWeightsPlan& p, int i) const { return chunk * p.cluster_columns * p.cluster_taps + i; }
  __device__ int of_gy(const WgmmaWeightsPlan& p, int i) const {
    return (i / p.cluster_taps * p.cluster_columns + column) * p.cluster_taps + i % p.cluster_taps;
  }
  __device__ uint16_t all_of_halo(const WgmmaWeightsPlan& p) const {
    const int blocks = p.cluster_columns * p.cluster_taps;
    return uint16_t(((1 << blocks) - 1) << chunk * blocks);
  }
};

// What a block brings of the halo and of gy for all that share them, made anew for each use, as registers are few.
__device__ inline OwnPart own_slots(const WgmmaWeightsPlan& p) {
  const WeightsTeam team = WeightsPlace(p).of_halo(p);
  return {p.tile.slots(), team.own, team.blocks};
}
template <class T>
__device__ OwnPart own_gy(const WgmmaWeightsPlan& p) {
  const WeightsTeam team = WeightsPlace(p).of_gy(p);
  return {p.gy_units(sizeof(T)), team.own, team.blocks};
}

// Bytes that others send to this block of a tile, its halo by boxes not among them.
template <class T, bool kBoxes>
__device__ int sent_by_others(const WgmmaWeightsPlan& p) {
  const int gy = (p.gy_units(sizeof(T)) - own_gy<T>(p).count()) * p.gy_runs(sizeof(T)) * p.gy_unit_bytes(sizeof(T));
  return kBoxes ? gy : gy + (p.tile.slots() - own_slots(p).count()) * kPieces * 16;
}

// Sends what this block has brought to those that share it: by the threads that have loaded it, behind a barrier of theirs.
template <class T, bool kBoxes>
__device__ void send_parts(const WgmmaWeightsPlan& p, const unsigned char* halo, SharedAddress full, int thread, int threads) {
  const auto send = [&](const WeightsTeam& team, const OwnPart& part, int runs, int unit, const unsigned char* from, int pitch,
                        auto block) {
    if (part.count() == 0) return;
    for (int i = thread; i < runs * (team.blocks - 1); i += threads) {
      const int other = i / runs;
      bulk_send(SharedAddress(from + i % runs * pitch + part.first * unit), part.count() * unit, full, block(other + (other >= team.own)));
    }
  };
  const WeightsPlace in(p);
  if constexpr (!kBoxes) send(in.of_halo(p), own_slots(p), kPieces, 16, halo, p.plane * 16, [&](int i) { return in.of_halo(p, i); });
  send(in.of_gy(p), own_gy<T>(p), p.gy_runs(sizeof(T)), p.gy_unit_bytes(sizeof(T)), halo + p.halo_bytes(), p.pitch * 16,
       [&](int i) { return in.of_gy(p, i); });
}

// Has the halo of the tile that is number `turn` of this block's copied as boxes, and expects it. By one thread. The blocks that share it
// copy tiles in turn, to all of them.
template <class T>
__device__ void load_weights_boxes(const WgmmaWeightsPlan& p, int64_t n, const int (&first)[3], int channel, const TensorMap& map,
                                   unsigned char* halo, SharedAddress full, int64_t turn) {
  const WeightsPlace in(p);
  const WeightsTeam team = in.of_halo(p);
  expect_halo(p.tile, full);
  if (turn % team.blocks == team.own)
    copy_halo<T>(p.cut, p.tile, n, first, channel, map, halo, full, team.blocks > 1 ? in.all_of_halo(p) : uint16_t(0));
}

}  // namespace voxgrad
