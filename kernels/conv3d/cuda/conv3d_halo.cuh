#pragma once
// What the tensor-core kernels of the convolution share: tiles of x in shared memory, and products.
#include "core/cuda/elements.h"
#include "core/cuda/ptx.h"
#include "kernels/conv3d/cuda/conv3d_gather.cuh"

namespace voxgrad {

// Rows of shared memory are 64 bytes of channels and 16 more, so that eight neighbours lie in different banks.
inline constexpr int kRow = 64, kPitch = 80, kStep = 32;
template <class T>
inline constexpr int kChunk = kRow / int(sizeof(T));

// The rounding of f32 to what the tensor cores multiply.
template <class T>
__device__ void round_fragment(uint32_t (&a)[4]) {
  if constexpr (dtype_of<T> == DType::f32)
    for (uint32_t& r : a) r = tf32_of(__uint_as_float(r));
}
template <class T>
__device__ void multiply_add(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
  const uint32_t b[2] = {b0, b1};
  if constexpr (dtype_of<T> == DType::f32) mma_tf32(d, a, b);
  else mma_of<T>(d, a, b);
}

// The voxels of x that a block reads: position of halo row r along each axis is first + r unit.
struct HaloPlace {
  int64_t n;
  int first[3];
};

// Channels [begin, begin + kChunk) of the halo into shared memory, zeros where there is no voxel or channel. whole: rows of x allow
// accesses of 16 bytes.
template <class T>
__device__ void load_halo(const ConvGather& g, const GatherTile& tile, const HaloPlace& at, int group, int begin, bool whole, const T* x,
                          unsigned char* halo) {
  const int64_t channels = int64_t(g.inputs) * g.groups;
  const int unit[3] = {g.axis[0].unit(), g.axis[1].unit(), g.axis[2].unit()};
  constexpr int kPerPiece = 16 / int(sizeof(T)), kPieces = kRow / 16;
  for (int item = int(threadIdx.x); item < tile.halo_voxels() * kPieces; item += int(blockDim.x)) {
    const int piece = item % kPieces, v = item / kPieces;
    const int i[3] = {at.first[0] + v / (tile.halo[1] * tile.halo[2]) * unit[0], at.first[1] + v / tile.halo[2] % tile.halo[1] * unit[1],
                      at.first[2] + v % tile.halo[2] * unit[2]};
    const bool inside = unsigned(i[0]) < unsigned(g.axis[0].in) && unsigned(i[1]) < unsigned(g.axis[1].in) &&
                        unsigned(i[2]) < unsigned(g.axis[2].in);
    const int c = begin + piece * kPerPiece;
    const int64_t voxel = ((at.n * g.axis[0].in + i[0]) * g.axis[1].in + i[1]) * g.axis[2].in + i[2];
    const T* from = x + voxel * channels + int64_t(group) * g.inputs + c;
    unsigned char* into = halo + v * kPitch + piece * 16;
    if (whole) {
      const bool valid = inside && c < g.inputs;
      cp_async_16(SharedAddress(into), valid ? from : x, valid);
    } else {
      Pack<T, kPerPiece> values;
      for (int k = 0; k < kPerPiece; ++k) values.v[k] = inside && c + k < g.inputs ? from[k] : T(0.f);
      store_pack(reinterpret_cast<T*>(into), values);
    }
  }
}

inline int64_t tile_count(const ConvGather& g, const GatherTile& tile) {
  int64_t tiles = g.n;
  for (int a = 0; a < 3; ++a) tiles *= (g.axis[a].count + tile.extent[a] - 1) / tile.extent[a];
  return tiles;
}

// Where tile `index` of all samples begins: the first output of each axis, and the halo.
__device__ inline HaloPlace place_tile(const ConvGather& g, const GatherTile& tile, int64_t index, int (&first)[3]) {
  HaloPlace at;
  for (int a = 2; a >= 0; --a) {
    const int tiles = (g.axis[a].count + tile.extent[a] - 1) / tile.extent[a];
    const int64_t next = index / tiles;
    first[a] = int(index - next * tiles) * tile.extent[a];
    index = next;
    at.first[a] = first[a] * g.axis[a].in_step + g.axis[a].offset;
  }
  at.n = index;
  return at;
}

// Bytes of the halo from one output to the next along each axis, and from one tap to the next.
struct HaloSteps {
  int output[3], tap[3];
};
__device__ inline HaloSteps halo_steps(const ConvGather& g, const GatherTile& tile) {
  HaloSteps s;
  for (int a = 0; a < 3; ++a) {
    const int pitch = (a == 0 ? tile.halo[1] * tile.halo[2] : a == 1 ? tile.halo[2] : 1) * kPitch, unit = g.axis[a].unit();
    s.output[a] = g.axis[a].in_step / unit * pitch;
    s.tap[a] = g.axis[a].taps > 1 ? g.axis[a].tap_step / unit * pitch : 0;
  }
  return s;
}
// Where the row of output v of the tile lies, for tap 0.
__device__ inline int halo_row(const GatherTile& tile, const HaloSteps& s, int v) {
  return v / (tile.extent[1] * tile.extent[2]) * s.output[0] + v / tile.extent[2] % tile.extent[1] * s.output[1] +
         v % tile.extent[2] * s.output[2];
}

// Whether rows of groups of `channels` can be read in pieces of 16 bytes.
template <class T>
bool whole_pieces(int channels, const T* x) {
  return aligned_to_16(x) && channels * int64_t(sizeof(T)) % 16 == 0;
}

}  // namespace voxgrad
