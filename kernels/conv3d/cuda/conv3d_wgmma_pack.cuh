#pragma once
// Weights as conv3d_wgmma_cuda.cu copies them.
#include "core/cuda/elements.h"
#include "kernels/conv3d/cuda/conv3d_products.cuh"
#include "kernels/conv3d/cuda/conv3d_wgmma.cuh"

namespace voxgrad {

// Packs f32 weights as {groups, column blocks, chunks, taps, parts, pieces of 16 bytes, columns}, what a block loads side by side.
template <class T, int kParts>
__global__ void conv3d_wgmma_pack_kernel(ConvGather g, WgmmaPlan plan, WeightPack pack, const float* w, unsigned char* packed) {
  constexpr int kPerPiece = 16 / int(sizeof(T));
  const int64_t count = int64_t(g.groups) * plan.column_blocks * plan.chunks * g.taps * kPieces * plan.columns;
  for (int64_t i : grid_stride(count)) {
    const int n = int(i % plan.columns), piece = int(i / plan.columns % kPieces);
    const int64_t at = i / plan.columns / kPieces;
    const int tap = int(at % g.taps), chunk = int(at / g.taps % plan.chunks), block = int(at / g.taps / plan.chunks);
    const int row = block % plan.column_blocks * plan.columns + n, column = chunk * kMmaChunk<T> + piece * kPerPiece;
    Pack<T, kPerPiece> parts[kParts];
    for (int e = 0; e < kPerPiece; ++e) {
      const float v = joined_weight_of(g, pack, w, block / plan.column_blocks, tap, row, column + e);
      if constexpr (dtype_of<T> == DType::f32) {
        parts[0].v[e] = __uint_as_float(tf32_of(v));
        if constexpr (kParts == 2) parts[1].v[e] = __uint_as_float(tf32_of(v - parts[0].v[e]));
      } else {
        parts[0].v[e] = T(v);
      }
    }
    for (int part = 0; part < kParts; ++part)
      store_pack(reinterpret_cast<T*>(packed + at * plan.tap_bytes() + ((part * kPieces + piece) * plan.columns + n) * 16), parts[part]);
  }
}

}  // namespace voxgrad
