#pragma once
// Sums over the rows of a matrix {rows, columns} whose elements a kernel makes as it goes: every block sums some rows to `partial`
// {chunks, columns}, in an order that the shape alone decides, and finish_column_sums adds the chunks in f64.
#include "core/cuda/launch.h"
#include "core/view.h"

namespace voxgrad {

inline constexpr int kColumnThreads = 256;

struct ColumnCut {
  int64_t rows, columns, chunk_rows, chunks;
  int step;  // rows that a block takes at once
  Grid grid;
  int64_t outer = 1;  // matrices one behind the other, along z of the grid
};

inline ColumnCut cut_columns(int64_t rows, int64_t columns) {
  ColumnCut c{.rows = rows, .columns = columns};
  c.step = columns < kColumnThreads ? int(kColumnThreads / columns) : 1;
  c.chunk_rows = int64_t(c.step) * 64;
  while ((rows + c.chunk_rows - 1) / c.chunk_rows > 16384) c.chunk_rows *= 2;
  c.chunks = (rows + c.chunk_rows - 1) / c.chunk_rows;
  c.grid = {.x = c.chunks, .y = (columns + kColumnThreads - 1) / kColumnThreads, .threads = kColumnThreads};
  return c;
}

// value(row, column) of type float. The grid is that of the cut; `partial` is that of the block's matrix.
template <class F>
__device__ void column_partials(const ColumnCut& c, float* partial, F value) {
  VOXGRAD_SHARED(float, sums, [kColumnThreads]);
  const int t = int(threadIdx.x), lane_columns = c.columns < kColumnThreads ? int(c.columns) : kColumnThreads;
  const int first = t / lane_columns;
  const int64_t column = int64_t(blockIdx.y) * kColumnThreads + t % lane_columns;
  const int64_t begin = int64_t(blockIdx.x) * c.chunk_rows, end = begin + c.chunk_rows < c.rows ? begin + c.chunk_rows : c.rows;
  float sum = 0;
  if (first < c.step && column < c.columns) {
#pragma unroll 4
    for (int64_t row = begin + first; row < end; row += c.step) sum += value(row, column);
  }
  sums[t] = sum;
  for (int left = c.step; left > 1;) {
    const int half = (left + 1) / 2;
    __syncthreads();
    if (first + half < left) sums[t] += sums[t + half * lane_columns];
    left = half;
  }
  if (first == 0 && column < c.columns) partial[int64_t(blockIdx.x) * c.columns + column] = sums[t];
}

// out {outer, columns} = scale * sum of the chunks of partial {outer, chunks, columns}.
void finish_column_sums(Cuda, const ColumnCut&, const float* partial, double scale, float* out);

}  // namespace voxgrad
