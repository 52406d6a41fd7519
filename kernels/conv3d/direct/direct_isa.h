#pragma once
#include <cstdint>

#include "core/dtype.h"
#include "core/device/isa.h"
#include "kernels/conv3d/pieces.h"

namespace voxgrad {

// A contiguous piece of a sum: `steps` inputs that start x elements after a voxel's first input, times the weights from step w on.
struct ConvRun {
  int64_t x = 0, w = 0, steps = 0;
};

// y[r][i] = act((y[r][i] - mean[i]) factor[i] + offset[i] + residual[r][i]) for r < rows, i < n, rows `step` elements apart; without a mean
// y itself, and without a residual nothing is added.
template <class A>
struct ConvEnd {
  DType dtype = DType::f32;
  void* y = nullptr;
  const void* residual = nullptr;
  int64_t step = 0, rows = 0, n = 0;
  const A *mean = nullptr, *factor = nullptr, *offset = nullptr;
  A slope = 1;
};

// One row of outputs. x, y: those of the first voxel; x_step, y_step: elements between neighbours.
template <class A>
struct ConvRow {
  const A *x = nullptr, *w = nullptr;
  const ConvRun* runs = nullptr;
  int64_t run_count = 0, x_step = 0, y_step = 0, voxels = 0;
  A* y = nullptr;
  const A* init = nullptr;  // what the sums of every voxel start from; null: from y
  int64_t width = 0;        // vectors (gather, depthwise) or outputs (dot) per voxel
  bool streamed = false;    // gather: y, aligned to vectors, goes to memory past the caches
  const ConvEnd<A>* end = nullptr;  // gather: what becomes of the sums, where these are the last ones; of the y of the row
  int64_t ahead = 0;        // gather: elements from these inputs to those of the next row, which are fetched meanwhile; or 0
};

// The a and the b operand of the first voxel of a row.
template <class A>
struct ConvRowPair {
  const A *a = nullptr, *b = nullptr;
  int64_t voxels = 0;
};

// sum[r][l] += sum over the voxels v of the rows of a[v][r] b[v][l], for r < extent and `vectors` vectors of l.
template <class A>
struct ConvOuter {
  int64_t a_step = 0, b_step = 0;  // elements between voxels
  const ConvRowPair<A>* rows = nullptr;
  int64_t row_count = 0;
  A* sum = nullptr;
  int64_t sum_step = 0, extent = 0, vectors = 0;
  const int64_t* offsets = nullptr;  // of outer_scattered: where the elements r of a voxel lie
  bool starts = false;               // outer: what sum holds before is not looked at
};

// dst[r][i] = act((src[r][i] - mean[i]) factor[i] + offset[i]) for r < rows, i < n; without a mean src itself.
template <class A>
struct ConvLoad {
  DType dtype = DType::f32;
  const void* src = nullptr;
  int64_t src_step = 0;
  A* dst = nullptr;
  int64_t dst_step = 0, rows = 0, n = 0, tail = 0;
  const A *mean = nullptr, *factor = nullptr, *offset = nullptr;
  A slope = 1;
};

// Lines of a volume into lines of a tile that reach beyond it: `before` zeros, n elements and `after` zeros each.
template <class A>
struct ConvLines {
  DType dtype = DType::f32;
  const void* src = nullptr;
  int64_t src_step = 0;  // from line to line
  A* dst = nullptr;
  int64_t dst_step = 0, lines = 0, before = 0, n = 0, after = 0;
};

// The inner loops of the convolutions for one instruction set, in A = f32 or f64. T: f32, bf16, f16 beside f32; f64 beside f64.
template <class A>
struct ConvIsa {
  int64_t lanes = 0;    // elements of a vector
  int64_t vectors = 0;  // the most vectors that gather and outer take at once
  // `rows` rows of n elements T, src_step apart, become rows of dst_step >= n elements A, zero from n on; and back.
  void (*load_rows)(DType, const void* src, int64_t src_step, A* dst, int64_t dst_step, int64_t rows, int64_t n);
  void (*load_lines)(const ConvLines<A>&);
  // Channels of one of several parts of a tile: `tail` zeros follow them, and nothing else of a row of dst is written.
  void (*load_part)(const ConvLoad<A>&);
  void (*store_rows)(DType, const A* src, int64_t src_step, void* dst, int64_t dst_step, int64_t rows, int64_t n);
  void (*end_rows)(const ConvEnd<A>&);
  // dst[c][r] = src[r][c] for r < rows, c < columns.
  void (*transpose)(const A* src, int64_t src_step, A* dst, int64_t dst_step, int64_t rows, int64_t columns);
  // y[v][l] = init[l] + sum over runs and steps of x[v][run.x + step] w[run.w + step][l]; w[step] holds `width` vectors.
  void (*gather)(const ConvRow<A>&);
  // y[v][k] = init[k] + sum of x[v][run.x + step] w[k][run.w + step]; steps are multiples of lanes, w[k] lies w_step elements after w[k -
  // 1].
  void (*dot)(const ConvRow<A>&, int64_t w_step);
  // y[v][l] = init[l] + sum over runs of x[v][run.x + l] w[run.w + l].
  void (*depthwise)(const ConvRow<A>&);
  void (*outer)(const ConvOuter<A>&);
  // The same of a[v][offsets[r]].
  void (*outer_scattered)(const ConvOuter<A>&);
  // sum[run.w + l] += sum over the voxels of the rows of a[v][run.x + l] b[v][l].
  void (*depthwise_outer)(const ConvOuter<A>&, const ConvRun* runs, int64_t run_count);
  // sum[c] += sum over rows of the dense g {rows, channels}.
  void (*column_sums)(DType, const void* g, int64_t rows, int64_t channels, A* sum);
};

#define VOXGRAD_CONV_ISA(isa)                          \
  namespace direct_kernels::isa {                             \
    template <class A>                                 \
    ConvIsa<A> kernels();                              \
    extern template ConvIsa<float> kernels<float>();   \
    extern template ConvIsa<double> kernels<double>(); \
  }
VOXGRAD_CONV_ISA(baseline)
VOXGRAD_CONV_ISA(avx2)
VOXGRAD_CONV_ISA(avx512)
#undef VOXGRAD_CONV_ISA

namespace direct_kernels::avx512_bf16 {
// gather of 16-bit pairs: an element of x and of w is two bf16 numbers, neighbours in the sum.
void gather_pairs(const ConvRow<float>&);
// to[i] = the pair (low[i step], high[i step]), rounded, for i < n and step 1 or, with high = low + 1, 2.
void make_pairs(const float* low, const float* high, int64_t step, float* to, int64_t n);
}  // namespace direct_kernels::avx512_bf16

// Those of isa().
template <class A>
ConvIsa<A> conv_isa() {
  return VOXGRAD_BY_ISA(direct_kernels, kernels<A>());
}

}  // namespace voxgrad
