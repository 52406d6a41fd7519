#pragma once
// What a block of conv3d_wgmma_cuda.cu works on, and how inputs enter its shared memory and outputs leave.
#include "core/cuda/elements.h"
#include "kernels/conv3d/cuda_shares/conv3d_moments.cuh"
#include "kernels/conv3d/cuda_clusters/conv3d_wgmma_clusters.cuh"

namespace voxgrad {

// Registers of the warpgroup that loads and of each that multiplies. They start with 168, as many as 384 threads can have, and what these
// take is what that one has given back: more would be waited for without end.
template <int kLoading, int kMultiplying>
struct WgmmaRegisters {
  static constexpr int loading = kLoading, multiplying = kMultiplying;
  static_assert(kLoading % 8 == 0 && kMultiplying % 8 == 0);
  static_assert(kLoading + kWgmmaConsumers * kMultiplying <= (1 + kWgmmaConsumers) * 168);
};

template <bool kFirst, class A, class B>
__device__ inline const auto& picked(const A& a, const B& b) {
  if constexpr (kFirst) return a;
  else return b;
}

struct WgmmaItem {
  int64_t n = 0;      // sample
  bool there = true;  // whether there is such a tile: the last cluster may have one too many
  int first[3] = {};  // outputs
  int group = 0, column_block = 0, share = 0;
  int chunk0 = 0, chunk1 = 0, tap0 = 0, tap1 = 0;
  WgmmaItem() = default;
  __device__ WgmmaItem(const ConvGather& g, const WgmmaPlan& p, int64_t item, const ClusterPlace& in) {
    const int64_t tile = in.tile_of(p, item);
    const int column_groups = p.column_blocks / p.cluster_columns;
    int rest = int(item / p.tile_groups);
    there = tile < p.tiles;
    n = tile_place(g, p.tile, there ? tile : 0, first);
    column_block = rest % column_groups * p.cluster_columns + in.column;
    rest /= column_groups;
    group = rest % g.groups;
    share = rest / g.groups;
    const int by_chunks = share / p.tap_shares, taps = g.taps / p.tap_shares;
    chunk0 = p.chunks * by_chunks / p.chunk_shares;
    chunk1 = p.chunks * (by_chunks + 1) / p.chunk_shares;
    tap0 = share % p.tap_shares * taps;
    tap1 = tap0 + taps;
  }
};

// A ring of buffers: which one is next, and the parity of its round.
struct Ring {
  int count, at = 0, round = 0;
  __device__ void next() {
    if (++at == count) at = 0, round ^= 1;
  }
};

// A loader tells that buffer `behind` is full (-1: none), whose copies it began before those of its last kUnderWay groups, but for so many
// bytes that come from other blocks.
template <int kUnderWay>
__device__ void tell_full(SharedAddress full, int behind, int more = 0) {
  if (behind < 0) return;
  cp_async_wait<kUnderWay>();
  fence_proxy();
  if (more > 0) transactions_expect(full + behind * 8, more);
  else transactions_arrive(full + behind * 8);
}

// 16 bytes of a voxel for products: elements as they are, f32 rounded to tf32; with two parts what is missing to it as well.
template <class T, int kParts>
__device__ void store_piece(unsigned char* into, int to_part, const Pack<T, kPackWidth<T>>& v) {
  uint32_t words[kParts][4];
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    if constexpr (dtype_of<T> == DType::f32) {
      words[0][i] = tf32_of(v.v[i]);
      if constexpr (kParts == 2) words[1][i] = tf32_of(v.v[i] - __uint_as_float(words[0][i]));
    } else {
      words[0][i] = v.v[2 * i].bits | uint32_t(v.v[2 * i + 1].bits) << 16;
    }
  }
#pragma unroll
  for (int part = 0; part < kParts; ++part) store_16(SharedAddress(into + part * to_part), words[part]);
}

// Loads one piece of 16 bytes of channels of all slots of a halo, by the threads that share it: `thread` of `threads`. from: of voxel 0 of
// the table, + more voxels; nothing is read where `channel` is beyond the part's, or `there` is false. kRounded: f32 to tf32.
template <class T, int kParts, bool kRounded>
__device__ void load_pieces(const GatherInput::Part& part, bool whole, int64_t sample, const T* from, int64_t more, bool there, int channel,
                            const int* table, int slots, int thread, int threads, unsigned char* into, int to_part) {
  constexpr int kPerPiece = 16 / int(sizeof(T)), kAtOnce = 4;
  const int here = there ? part.used - channel : 0;
  from += more * part.channels + channel;
  const auto store = [&](int slot, const Pack<T, kPerPiece>& v) {
    unsigned char* const to = into + slot * 16;
    if constexpr (kRounded || sizeof(T) == 2) store_piece<T, kParts>(to, to_part, v);
    else store_pack(reinterpret_cast<T*>(to), v);
  };
  if (part.coefficients && here > 0) {
    GatherNorm norm[kPerPiece];
    const float* const of = part.coefficients + sample * 3 * part.channels;
#pragma unroll
    for (int k = 0; k < kPerPiece; ++k) norm[k] = GatherNorm(of, part.channels, channel + k);
    for (int first = thread; first < slots; first += kAtOnce * threads) {
      Pack<T, kPerPiece> v[kAtOnce];
      int voxel[kAtOnce];
#pragma unroll
      for (int i = 0; i < kAtOnce; ++i) {
        const int slot = first + i * threads;
        voxel[i] = slot < slots ? table[slot] : -1;
        if (voxel[i] >= 0) v[i] = load_pack<kPerPiece>(from + int64_t(voxel[i]) * part.channels);
      }
#pragma unroll
      for (int i = 0; i < kAtOnce; ++i) {
        if (first + i * threads >= slots) continue;
#pragma unroll
        for (int k = 0; k < kPerPiece; ++k) v[i].v[k] = voxel[i] >= 0 ? T(activated(norm[k](float(v[i].v[k])), part.slope)) : T(0.f);
        store(first + i * threads, v[i]);
      }
    }
    return;
  }
  for (int slot = thread; slot < slots; slot += threads) {
    const int voxel = table[slot], inside = voxel >= 0 ? here : 0;
    const T* const at = from + int64_t(voxel) * part.channels;
    if (whole && (sizeof(T) == 2 || !kRounded)) {
      cp_async_16(SharedAddress(into + slot * 16), inside > 0 ? static_cast<const void*>(at) : part.x, inside > 0);
      continue;
    }
    Pack<T, kPerPiece> v;
    if (whole && inside > 0) v = load_pack<kPerPiece>(at);
    else
      for (int k = 0; k < kPerPiece; ++k) v.v[k] = k < inside ? at[k] : T(0.f);
    store(slot, v);
  }
}

// Registers that hold a column pair each of four products' eight columns: lane l of four gets the pairs of all four of product l.
__device__ inline void exchange_pairs(uint32_t (&v)[4], int lane) {
#pragma unroll
  for (int bit = 1; bit < 4; bit *= 2)
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      if (i & bit) continue;
      const bool high = lane & bit;
      const uint32_t got = __shfl_xor_sync(0xffffffffu, high ? v[i] : v[i | bit], bit);
      if (high) v[i] = got;
      else v[i | bit] = got;
    }
}

// Eight columns side by side of a row of 32, from the pairs of columns 8 i + 2 (lane % 4) of four lanes, of 16-bit types; as words.
template <class T>
__device__ inline void exchange(const Pack<T, 2> (&pairs)[4], int lane, uint32_t (&words)[4]) {
#pragma unroll
  for (int i = 0; i < 4; ++i) words[i] = pairs[i].v[0].bits | uint32_t(pairs[i].v[1].bits) << 16;
  exchange_pairs(words, lane);
}
template <class T>
__device__ inline Pack<T, 8> pack_of(const uint32_t (&words)[4]) {
  Pack<T, 8> all;
#pragma unroll
  for (int e = 0; e < 8; ++e) all.v[e].bits = uint16_t(words[e / 2] >> e % 2 * 16);
  return all;
}

// The outputs of a product of a warpgroup: this thread's rows, all column blocks.
template <class T, int kColumns>
__device__ inline void store_outputs(const ConvGather& g, const WgmmaPlan& plan, const WgmmaItem& item, int block,
                                     const GatherOutput<T>& out, const float (&sum)[kColumns / 2], float* partial) {
  const int warp = int(threadIdx.x) / 32 % 4, lane = int(threadIdx.x) % 32;
  const int64_t filters = int64_t(g.outputs) * g.groups;
  const int column0 = item.column_block * kColumns;
  const bool shares = plan.shares() > 1;
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    int j[3];
    plan.place(block, warp * 16 + lane / 4 + half * 8, j);
    for (int a = 0; a < 3; ++a) j[a] += item.first[a];
    const int64_t voxel = item.there ? output_voxel(g, item.n, j, shares) : -1;
    const int64_t at = voxel * filters + int64_t(item.group) * g.outputs;
    if (shares) {
      float* const own = partial + item.share * g.out_voxels() * filters;
#pragma unroll
      for (int i = 0; i < kColumns / 4; ++i) {
        const int m = column0 + i / 2 * 8 + lane % 4 * 2 + i % 2;
        if (voxel >= 0 && m < g.outputs) own[at + m] = sum[i / 2 * 4 + half * 2 + i % 2];
      }
      continue;
    }
#pragma unroll
    for (int q = 0; q < kColumns / 32; ++q) {
      Pack<T, 2> pairs[4];
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const int m = column0 + q * 32 + i * 8 + lane % 4 * 2;
#pragma unroll
        for (int e = 0; e < 2; ++e) {
          const float b = m + e < g.outputs ? out.added(item.group * g.outputs + m + e) : 0.f;
          pairs[i].v[e] = T(sum[(q * 4 + i) * 4 + half * 2 + e] + b);
        }
      }
      if constexpr (sizeof(T) == 2) {
        uint32_t words[4];
        exchange(pairs, lane, words);
        const int m = column0 + q * 32 + lane % 4 * 8;
        if (voxel < 0 || m >= g.outputs) continue;
        out.store(pack_of<T>(words), item.group * g.outputs + m, at + m, g.outputs - m);
      } else {
#pragma unroll
        for (int i = 0; i < 4; ++i) {
          const int m = column0 + q * 32 + i * 8 + lane % 4 * 2;
          if (voxel >= 0 && m < g.outputs) out.store(pairs[i], item.group * g.outputs + m, at + m, g.outputs - m);
        }
      }
    }
  }
}

}  // namespace voxgrad
