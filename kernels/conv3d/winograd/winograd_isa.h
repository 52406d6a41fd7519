#pragma once
#include <cstdint>

#include "core/dtype.h"
#include "core/device/isa.h"
#include "core/shape.h"

// Winograd's convolution F(m, 3) along every axis of a 3x3x3 kernel with stride 1: m outputs of an axis from m + 2 inputs by m + 2
// multiplications, y = A^T [(G w) (B^T x)]. Lavin and Gray 2016, "Fast algorithms for
// convolutional neural networks". The weight gradient is its adjoint: G^T [(B^T x) (A gy)], summed over tiles in between.
namespace voxgrad {

// Outputs of a tile along each axis, 2 or 4.
struct WinogradTile {
  int d = 2, h = 2, w = 2;
  Int3 outputs() const { return {d, h, w}; }
  int64_t planes() const { return d + 2; }  // of frequencies
  int64_t plane() const { return int64_t(h + 2) * (w + 2); }
  int64_t frequencies() const { return planes() * plane(); }
};

// A row of tiles, along W. Lines are elements of it along W for one z and y of a tile, z slowest; null: a line of zeros (inputs) or outside
// the volume (outputs). frequency[f] of tile t and channel c is at f frequency_step + t tile_step + c. Of the planes of frequencies
// along D those from first_plane on are made from inputs, `planes` of them; outputs take them all.
template <class A>
struct WinogradRow {
  int64_t tiles = 0, vectors = 0;  // vectors of channels
  A* frequency = nullptr;
  int64_t frequency_step = 0, tile_step = 0;
  int first_plane = 0, planes = 0;
  const A* const* inputs = nullptr;  // the lines, in voxels of input_step elements
  int64_t input_step = 0;
  DType dtype = DType::f32;  // of the outputs, of which `voxels` per line and `channels` per voxel are stored
  void* const* outputs = nullptr;
  int64_t output_step = 0, voxels = 0, channels = 0;
  const A* bias = nullptr;
  bool streamed = false;  // outputs, aligned to vectors, go to memory past the caches
};

// The transforms for one instruction set and tile, in A = f32 or f64.
template <class A>
struct WinogradIsa {
  void (*transform_inputs)(const WinogradRow<A>&);     // frequency = B^T x; lines: (d + 2) (h + 2)
  void (*transform_gradients)(const WinogradRow<A>&);  // frequency = A gy, from input lines: d h
  void (*transform_outputs)(const WinogradRow<A>&);    // y = A^T frequency + bias; lines: d h
  // One vector: u[f] = G w[tap], with w[tap] at w + offset[tap], u[f] at u + f step.
  void (*transform_weights)(const A* w, const int64_t* offset, A* u, int64_t step);
  // g = G^T u in two steps, vectors g_step apart: the frequencies of a plane become 3 x 3 taps; and all planes become 3.
  void (*restore_plane)(const A* u, int64_t step, A* g, int64_t g_step);
  void (*restore_depth)(const A* u, int64_t step, A* g, int64_t g_step);
};

#define VOXGRAD_WINOGRAD_ISA(isa)                              \
  namespace winograd_kernels::isa {                                   \
    template <class A>                                         \
    WinogradIsa<A> kernels(WinogradTile);                      \
    extern template WinogradIsa<float> kernels(WinogradTile);  \
    extern template WinogradIsa<double> kernels(WinogradTile); \
  }
VOXGRAD_WINOGRAD_ISA(baseline)
VOXGRAD_WINOGRAD_ISA(avx2)
VOXGRAD_WINOGRAD_ISA(avx512)
VOXGRAD_WINOGRAD_ISA(avx512_bf16)
#undef VOXGRAD_WINOGRAD_ISA

template <class A>
WinogradIsa<A> winograd_isa(WinogradTile tile) {
  return VOXGRAD_BY_ISA_BF16(winograd_kernels, kernels<A>(tile));
}

}  // namespace voxgrad
