#pragma once
#include <cstdint>

#include "core/device/isa.h"
#include "core/dtype.h"
#include "kernels/conv3d/pieces.h"

// Winograd's algorithm F(2, 3) or F(4, 3) along D and F(4, 3) along H and W for few channels: the lanes of a vector are not channels but
// boxes of a volume, a tile of each box at a time. No lane is empty then, whatever the channels. Elements of all boxes lie together: {..,
// channel, box}. A plane of the frequencies along D is worked off at a time, so that what it takes stays near the first-level cache.
namespace voxgrad {

constexpr int kBoxesTile = 4, kBoxesPlane = 36;  // positions of a tile along H and W; frequencies of a plane

// A row of tiles, along W, of a plane of frequencies along D. Rows of positions are {x, channel, lane}, row_step elements apart. Frequency
// f of tile t and channel c is at f frequency_step + (t channels + c) lanes.
template <class A>
struct WinogradBoxesRow {
  int64_t tiles = 0, channels = 0;
  int64_t row_step = 0, frequency_step = 0;
  const A* from = nullptr;
  A* to = nullptr;
};

// out[f][t][k] = sum over c of w[f][c][k] in[f][t][c], for every lane, the frequencies of a plane and tiles t.
template <class A>
struct WinogradBoxesProduct {
  int64_t tiles = 0, inputs = 0, outputs = 0;
  const A *w = nullptr, *in = nullptr;
  A* out = nullptr;
  int64_t w_step = 0, in_step = 0, out_step = 0;  // from frequency to frequency
};

// How many outputs and inputs a vector of sums is for, at most.
struct WinogradBoxesGroup {
  int64_t outputs = 1, inputs = 1;
  int64_t count(int64_t all_outputs, int64_t all_inputs) const {  // of groups
    return (all_outputs + outputs - 1) / outputs * ((all_inputs + inputs - 1) / inputs);
  }
};
// sum[f] += for each piece of outputs and piece of inputs of a group a vector of the products of g[f][t][k] x[f][t][c], summed over tiles
// and lanes: lane l is that of output l / (inputs of the piece) and input l % of it. Pieces are in the order of outputs.
template <class A>
struct WinogradBoxesOuter {
  WinogradBoxesGroup group;
  int64_t tiles = 0, inputs = 0, outputs = 0;
  const A *x = nullptr, *g = nullptr;
  A* sum = nullptr;
  int64_t x_step = 0, g_step = 0, sum_step = 0;  // from frequency to frequency
};

// All planes of frequencies along D of a row of positions, from from[z from_step + place[l] + i] for every plane z and lane l and i <
// count, rounded up to whole vectors, which may be read; to[i][l] of plane z lies at z plane_step.
template <class A>
struct WinogradBoxesLoad {
  int tile = 2;  // along D
  const A* from = nullptr;
  int64_t from_step = 0;
  const int64_t* place = nullptr;
  int64_t count = 0, plane_step = 0;
  A* to = nullptr;
};
// A row of positions of all planes of frequencies, back along D: to[z to_step + place[l] + i] = bias[i] + plane z of outputs of
// from[..][i][l], for i < count[l] <= most and z < planes[l]. from and bias are read for whole vectors of i.
template <class A>
struct WinogradBoxesStore {
  DType dtype = DType::f32;
  int tile = 2;  // along D
  const A *from = nullptr, *bias = nullptr;
  int64_t plane_step = 0, most = 0;
  void* to = nullptr;
  int64_t to_step = 0;
  const int64_t *place = nullptr, *count = nullptr, *planes = nullptr;
  bool streamed = false;  // vectors of a lane, aligned, go to memory past the caches
};

template <class A>
struct WinogradBoxesIsa {
  int64_t product_outputs = 0;   // up to which products may replace their inputs, where they are no more than these
  WinogradBoxesGroup groups[2];  // to choose from
  void (*load_inputs)(const WinogradBoxesLoad<A>&);
  void (*load_gradients)(const WinogradBoxesLoad<A>&);
  void (*store_lanes)(const WinogradBoxesStore<A>&);
  void (*transform_inputs)(const WinogradBoxesRow<A>&);     // from rows of positions, kBoxesTile + 2 of them, to frequencies
  void (*transform_gradients)(const WinogradBoxesRow<A>&);  // from kBoxesTile rows of positions to frequencies
  void (*transform_outputs)(const WinogradBoxesRow<A>&);    // from frequencies to kBoxesTile rows of positions
  void (*multiply)(const WinogradBoxesProduct<A>&);
  void (*outer)(const WinogradBoxesOuter<A>&);
};

#define VOXGRAD_WINOGRAD_BOXES_ISA(isa)                         \
  namespace winograd_boxes_kernels::isa {                              \
    template <class A>                                          \
    WinogradBoxesIsa<A> kernels();                              \
    extern template WinogradBoxesIsa<float> kernels<float>();   \
    extern template WinogradBoxesIsa<double> kernels<double>(); \
  }
VOXGRAD_WINOGRAD_BOXES_ISA(baseline)
VOXGRAD_WINOGRAD_BOXES_ISA(avx2)
VOXGRAD_WINOGRAD_BOXES_ISA(avx512)
VOXGRAD_WINOGRAD_BOXES_ISA(avx512_bf16)
#undef VOXGRAD_WINOGRAD_BOXES_ISA

template <class A>
WinogradBoxesIsa<A> winograd_boxes_isa() {
  return VOXGRAD_BY_ISA_BF16(winograd_boxes_kernels, kernels<A>());
}

}  // namespace voxgrad
