#pragma once
// What a block of conv3d_wgmma_weights_cuda.cu sums, and how gy enters its shared memory.
#include "kernels/conv3d/cuda_clusters/conv3d_wgmma_weights_clusters.cuh"

namespace voxgrad {

inline constexpr int kTileLoaders = 128;

// What a block sums: its group, first output and input channels, and taps.
struct WgmmaSums {
  int group, k0, c0, tap0, taps;
  template <class T>
  __device__ static WgmmaSums of(const WgmmaWeightsPlan& p) {
    const WeightsPlace in(p);
    int rest = int(blockIdx.x) / p.cluster;
    WgmmaSums s;
    s.tap0 = (rest % p.tap_clusters() * p.cluster_taps + in.taps) * p.group_taps();
    s.taps = p.cut.taps - s.tap0 < p.group_taps() ? p.cut.taps - s.tap0 : p.group_taps();
    rest /= p.tap_clusters();
    s.c0 = (rest % p.chunk_clusters() * p.cluster_chunks + in.chunk) * kMmaChunk<T>;
    rest /= p.chunk_clusters();
    s.k0 = (rest % p.column_clusters() * p.cluster_columns + in.column) * p.columns;
    s.group = rest / p.column_clusters();
    return s;
  }
};

// gy at line `line` (of gy_lines of each of its planes) and voxel w along W of the tile: its voxel, or -1.
__device__ inline int64_t gy_voxel(const WgmmaWeightsPlan& p, const ConvGather& g, int64_t n, const int (&first)[3], int line, int w) {
  const int j[3] = {first[0] + line / p.gy_lines, first[1] + p.gy_first + line % p.gy_lines, first[2] + w};
  int64_t voxel = n;
  for (int a = 0; a < 3; ++a) {
    if (unsigned(j[a]) >= unsigned(g.axis[a].out)) return -1;
    voxel = voxel * g.axis[a].out + j[a];
  }
  return voxel;
}

// This block's part of gy of a tile into shared memory, by the loaders. 16 bits: {8 channels}{voxel}, or with lines {line}{8
// channels}{voxel}; f32, rounded to tf32: {4 voxels}{channel}, since products read four values of one channel side by side.
template <class T>
__device__ void load_gy(const WgmmaWeightsPlan& p, const ConvGather& g, const WgmmaSums& s, int64_t n, const int (&first)[3], bool whole,
                        const T* gy, unsigned char* into) {
  constexpr int kPerPiece = 16 / int(sizeof(T));
  const int pieces = p.columns / kPerPiece, wide = p.tile.extent[2], bits = p.tile.bits[1];
  const int64_t filters = int64_t(g.outputs) * g.groups;
  const T* const from = gy + int64_t(s.group) * g.outputs + s.k0;
  const OwnPart own = own_gy<T>(p);
  if constexpr (sizeof(T) == 2) {
    const int each = p.lines > 1 ? wide * pieces : pieces;  // items of a unit
    for (int item = own.first * each + int(threadIdx.x); item < own.end * each; item += kTileLoaders) {
      const int piece = item % pieces, v = item / pieces, line = v >> bits, w = v & (wide - 1);
      const int64_t voxel = gy_voxel(p, g, n, first, line, w);
      const int here = voxel >= 0 ? g.outputs - s.k0 - piece * kPerPiece : 0;
      unsigned char* const to = into + (p.lines > 1 ? (line * pieces + piece) * p.pitch + w : piece * p.pitch + v) * 16;
      const T* const row = from + voxel * filters + piece * kPerPiece;
      if (whole) {
        cp_async_16(SharedAddress(to), here > 0 ? row : gy, here > 0);
      } else {
        Pack<T, kPerPiece> values;
        for (int k = 0; k < kPerPiece; ++k) values.v[k] = k < here ? row[k] : T(0.f);
        store_piece<T, 1>(to, 0, values);
      }
    }
  } else {
    for (int item = int(threadIdx.x); item < (own.count() + 7) / 8 * 8 * pieces; item += kTileLoaders) {
      const int piece = item / 8 % pieces, four = own.first + item / 8 / pieces * 8 + item % 8;
      if (four >= own.end) continue;
      float value[4][4];  // of voxels and channels
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const int v = four * 4 + i;
        const int64_t voxel = gy_voxel(p, g, n, first, v >> bits, v & (wide - 1));
        const int here = voxel >= 0 ? g.outputs - s.k0 - piece * 4 : 0;
        const T* const row = from + voxel * filters + piece * 4;
        if (whole && here > 0) {
          const Pack<T, 4> all = load_pack<4>(row);
          for (int k = 0; k < 4; ++k) value[i][k] = all.v[k];
        } else {
          for (int k = 0; k < 4; ++k) value[i][k] = k < here ? row[k] : 0.f;
        }
      }
#pragma unroll
      for (int k = 0; k < 4; ++k) {
        const uint32_t words[4] = {tf32_of(value[0][k]), tf32_of(value[1][k]), tf32_of(value[2][k]), tf32_of(value[3][k])};
        store_16(SharedAddress(into + (four * p.pitch + piece * 4 + k) * 16), words);
      }
    }
  }
}

}  // namespace voxgrad
