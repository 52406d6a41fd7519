#pragma once
#include <cstdint>

#include "core/dtype.h"
#include "core/device/isa.h"

namespace voxgrad {

// Depthwise convolutions of stride and dilation 1 along H and W, brick by brick of outputs. A tile is a plane of what a brick reads, in A:
// {vector of channels, row, voxel, lane}, with zeros beside the volume. Rows of the tile outside the volume are not read.
template <class A>
struct DepthwisePlane {
  const A* x = nullptr;  // tile
  int64_t tap = 0;       // the first of the taps that read it
};

// A row of a tile, `step` elements further on for each vector: voxels [first, last) of `width` are inside, the others zeros.
template <class A>
struct DepthwiseLine {
  A* to = nullptr;
  int64_t step = 0, first = 0, last = 0, width = 0;
};

struct DepthwiseShape {
  int64_t rows = 0, width = 0;                // outputs of the brick
  int64_t tile_rows = 0, tile_width = 0;      // tile_width: at least kDepthwiseAcross - 1 more than outputs read
  int64_t first_inside = 0, last_inside = 0;  // rows of the tile
  int64_t kernel_height = 0, kernel_width = 0, taps = 0;
  int64_t vectors = 0;
};

// The inputs of the next plane that will be loaded, as rows of the tile: they are fetched into the second-level cache meanwhile.
struct DepthwiseNext {
  const char* x = nullptr;               // row 0; null: none
  int64_t row = 0, step = 0, bytes = 0;  // of a row, between voxels, and of the block of channels
};

// y = bias + sum over the planes and their taps of w x.
template <class T>
struct DepthwiseRows {
  DepthwiseShape shape;
  const DepthwisePlane<accum_t<T>>* planes = nullptr;
  int64_t plane_count = 0;
  const accum_t<T>*w = nullptr, *bias = nullptr;  // {vector, tap, lane}, {vector, lane}
  T* y = nullptr;                                 // first channel of the brick's first voxel
  int64_t y_row = 0, y_step = 0;                  // elements between rows and voxels
  const int64_t* channels = nullptr;              // where the vectors start
  int64_t lanes = 0;                              // that are written: all, or the channels where these are fewer
  DepthwiseNext next;
  bool stream = false;  // y is written past the caches: all lanes, of whole aligned cache lines
};

// sum {vector, tap, lane} += sum over the brick of x gy; gy: tile of the brick, {vector, row, voxel, lane}.
template <class A>
struct DepthwiseWeights {
  DepthwiseShape shape;
  const DepthwisePlane<A>* planes = nullptr;
  int64_t plane_count = 0;
  A* sum = nullptr;
  const A* gy = nullptr;
  int64_t gy_width = 0;  // voxels of a row; zeros beyond the brick
};

// Rows are computed in pieces of this many voxels, or fewer.
constexpr int64_t kDepthwiseAcross = 8;

template <class T>
struct DepthwiseIsa {
  int64_t lanes = 0;
  // x: voxel line.first, of `step` channels; channels: where the vectors start.
  void (*load)(const T* x, int64_t step, const int64_t* channels, int64_t vectors, const DepthwiseLine<accum_t<T>>& line);
  void (*rows)(const DepthwiseRows<T>&);
  void (*weights)(const DepthwiseWeights<accum_t<T>>&);
};

#define VOXGRAD_DEPTHWISE_ISA(isa)                  \
  namespace depthwise_kernels::isa {                       \
    template <class T>                              \
    DepthwiseIsa<T> kernels();                      \
    extern template DepthwiseIsa<float> kernels();  \
    extern template DepthwiseIsa<double> kernels(); \
    extern template DepthwiseIsa<bf16> kernels();   \
    extern template DepthwiseIsa<f16> kernels();    \
  }
VOXGRAD_DEPTHWISE_ISA(baseline)
VOXGRAD_DEPTHWISE_ISA(avx2)
VOXGRAD_DEPTHWISE_ISA(avx512)
#undef VOXGRAD_DEPTHWISE_ISA

namespace depthwise_kernels::avx512_bf16 {
// Rows of weights are pairs of taps along W: kernel_width is 2, 3 or 4 for a kernel 3, 5 or 7 wide. An element of a tile is the bf16 of a
// voxel and of the next one, one of w the bf16 of two taps, or of the last one and zero.
DepthwiseIsa<bf16> pair_kernels();
}  // namespace depthwise_kernels::avx512_bf16

template <class T>
DepthwiseIsa<T> depthwise_isa() {
  return VOXGRAD_BY_ISA(depthwise_kernels, kernels<T>());
}

}  // namespace voxgrad
