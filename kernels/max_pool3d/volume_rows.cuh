#pragma once
// Loops over the rows (sample, depth, height) of a volume {n, D, H, W, C}, a few rows to a block, and along each over W and packs of
// channels: divisions that 64-bit indices need are per row.
#include "core/cuda/elements.h"

namespace voxgrad {

struct VolumeRows {
  int64_t rows;
  int depth, height, items, packs;  // items: width times packs of channels
  int across;                       // threads along a row
  Grid grid;
};
// `size`: D, H, W of what is walked over.
inline VolumeRows volume_rows(int64_t n, const int64_t (&size)[3], int64_t packs) {
  constexpr int kThreads = 128;
  VolumeRows r{.rows = n * size[0] * size[1], .depth = int(size[0]), .height = int(size[1]), .items = int(size[2] * packs),
               .packs = int(packs), .across = 1};
  while (r.across < kThreads && r.across < r.items) r.across *= 2;
  const int per_block = kThreads / r.across;
  r.grid = {.x = r.items > 0 ? (r.rows + per_block - 1) / per_block : 0, .threads = kThreads};
  return r;
}

struct VolumePlace {
  int64_t row, n;
  int d, h, w, pack;
};
// f(place) for the items of this thread.
template <class F>
__device__ void for_volume(const VolumeRows& r, F f) {
  VolumePlace p;
  p.row = int64_t(blockIdx.x) * (blockDim.x / r.across) + threadIdx.x / r.across;
  if (p.row >= r.rows) return;
  const int64_t plane = p.row / r.height;
  p.h = int(p.row - plane * r.height);
  p.n = plane / r.depth;
  p.d = int(plane - p.n * r.depth);
  for (int i = int(threadIdx.x) % r.across; i < r.items; i += r.across) {
    p.w = i / r.packs;
    p.pack = i - p.w * r.packs;
    f(p);
  }
}

}  // namespace voxgrad
