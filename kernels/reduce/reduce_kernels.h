#pragma once
#include <cstdint>

#include "core/device/execution.h"
#include "core/view.h"

namespace voxgrad {

// x is {outer, reduced, inner}, y {outer, inner}.
struct ReduceRuns {
  int64_t outer = 1, reduced = 1, inner = 1;
};
// y = scale * sum of x over the middle axis; y is of accum_of(dtype of x).
void sum_runs(Cpu, const ReduceRuns&, double scale, View x, View y);
void sum_runs(Cuda, const ReduceRuns&, double scale, View x, View y);
// y = the largest or the smallest; of the dtype of x.
void extreme_runs(Cpu, const ReduceRuns&, bool smallest, View x, View y);
void extreme_runs(Cuda, const ReduceRuns&, bool smallest, View x, View y);

// gx[i] = scale * g[k(i)], k(i) dropping the reduced axes of the index i; with x and y, 0 where x[i] differs from y[k(i)].
// g is of the dtype of gx or of accum_of it; x and y are of the dtype of gx.
struct Spread {
  static constexpr int kRank = 8;
  int rank = 0;
  int64_t extent[kRank] = {};
  bool reduced[kRank] = {};
  double scale = 1;
};
void spread(Cpu, Spread, View g, View x, View y, View gx);
void spread(Cuda, Spread, View g, View x, View y, View gx);

// gx = gy / c where x equals y of its run (a NaN a NaN), c the number of such elements of the run, and 0 elsewhere; all are of the dtype of
// x. Each run is walked by one thread: false, and nothing is done, where that is not worth it, and on CUDA.
bool extreme_backward(Cpu, const ReduceRuns&, View x, View y, View gy, View gx);
inline bool extreme_backward(Cuda, const ReduceRuns&, View, View, View, View) { return false; }

// y[r] = the index of the largest of x[r, 0 .. columns); y is u8 or i32.
void argmax_rows(Cpu, int64_t rows, int64_t columns, View x, View y);
void argmax_rows(Cuda, int64_t rows, int64_t columns, View x, View y);

}  // namespace voxgrad
