#pragma once
#include <array>
#include <cstdint>

#include "core/device/isa.h"
#include "core/dtype.h"

// Winograd's algorithm along H and W alone, for kernels of 3x3 there, with sums over the taps along D in between. With stride 2 an axis is
// two convolutions with stride 1: of the inputs of one parity with the middle tap, and of those of the other with the two outer taps, the
// latter by F(m, 2). The input gradient of stride 2 has the same two, each for the outputs of one parity.
namespace voxgrad {

enum class WinogradPlaneForm { plain, strided, transposed };

// The taps of an axis that one F(m, taps) computes, from the inputs first + step j, j < m + taps - 1, of a tile. One tap needs no
// transform, and its frequencies share one weight.
struct WinogradPlaneClass {
  int taps, first, step;
};

struct WinogradPlaneTile {
  WinogradPlaneForm form = WinogradPlaneForm::plain;
  int m = 2;  // positions along H and W, 2 or 4

  // Files of instruction sets call some of these, and may not leave a copy of their own to the others.
#define VOXGRAD_ALWAYS_INLINE __attribute__((always_inline))
  int classes() const { return form == WinogradPlaneForm::plain ? 1 : 2; }
  // shift: of the inputs of the middle tap, 0 or 1, if transposed.
  VOXGRAD_ALWAYS_INLINE WinogradPlaneClass axis_class(int i, int shift = 0) const {
    if (form == WinogradPlaneForm::plain) return {3, 0, 1};
    const int step = form == WinogradPlaneForm::strided ? 2 : 1;
    return i == 0 ? WinogradPlaneClass{1, form == WinogradPlaneForm::strided ? 1 : shift, step} : WinogradPlaneClass{2, 0, step};
  }
  VOXGRAD_ALWAYS_INLINE int in_step() const {
    return form == WinogradPlaneForm::strided ? 2 * m : m;
  }  // inputs from tile to tile, and those of one
  int in_extent() const { return form == WinogradPlaneForm::plain ? m + 2 : in_step() + 1; }
  int outputs() const { return form == WinogradPlaneForm::transposed ? 2 * m : m; }
  int axis_frequencies() const { return form == WinogradPlaneForm::plain ? m + 2 : 2 * m + 1; }
  int frequencies() const { return axis_frequencies() * axis_frequencies(); }
  int weights() const { return (m + 2) * (m + 2); }  // of different frequencies
#undef VOXGRAD_ALWAYS_INLINE
};

// A row of tiles, along W. Lines are elements along W for one y of a tile; null: outside the volume (outputs). Frequency f of tile t and
// channel c is at place[f] + t tile_step + c.
template <class A>
struct WinogradPlaneRow {
  int64_t tiles = 0, vectors = 0;  // vectors of channels
  A* frequency = nullptr;
  const int64_t* place = nullptr;
  int64_t tile_step = 0;
  const A* const* inputs = nullptr;  // in voxels of input_step elements
  int64_t input_step = 0;
  int shift_h = 0, shift_w = 0, parity_h = 0, parity_w = 0;  // of the middle tap: its inputs' shift, its outputs' remainder modulo 2
  DType dtype = DType::f32;  // of the outputs, of which `voxels` per line and `channels` per voxel are stored
  void* const* outputs = nullptr;
  int64_t output_step = 0, voxels = 0, channels = 0;
  const A* bias = nullptr;
};

// The transforms for one instruction set and tile, in A = f32 or f64. Taps are in the order of the inputs that they meet; if transposed:
// first outer tap, middle tap, second outer tap.
template <class A>
struct WinogradPlaneIsa {
  void (*transform_inputs)(const WinogradPlaneRow<A>&);
  void (*transform_gradients)(const WinogradPlaneRow<A>&);  // of the outputs, m lines; not of transposed tiles
  void (*transform_outputs)(const WinogradPlaneRow<A>&);
  // One vector: u[g] = G w[tap], with the 3x3 taps at w + offset[tap], u[g] at u + g step; and 3x3 taps g = G^T u.
  void (*transform_weights)(const A* w, const int64_t* offset, A* u, int64_t step);
  void (*restore)(const A* u, int64_t step, A* g, int64_t g_step);
};

#define VOXGRAD_WINOGRAD_PLANE_ISA(isa)                                  \
  namespace winograd_plane_kernels::isa {                                       \
    template <class A>                                                   \
    WinogradPlaneIsa<A> kernels(WinogradPlaneTile);                      \
    extern template WinogradPlaneIsa<float> kernels(WinogradPlaneTile);  \
    extern template WinogradPlaneIsa<double> kernels(WinogradPlaneTile); \
  }
VOXGRAD_WINOGRAD_PLANE_ISA(baseline)
VOXGRAD_WINOGRAD_PLANE_ISA(avx2)
VOXGRAD_WINOGRAD_PLANE_ISA(avx512)
VOXGRAD_WINOGRAD_PLANE_ISA(avx512_bf16)
#undef VOXGRAD_WINOGRAD_PLANE_ISA

template <class A>
WinogradPlaneIsa<A> winograd_plane_isa(WinogradPlaneTile tile) {
  return VOXGRAD_BY_ISA_BF16(winograd_plane_kernels, kernels<A>(tile));
}

}  // namespace voxgrad
