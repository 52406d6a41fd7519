#pragma once
#include "infer/sliding_window.h"
#include "kernels/separable/separable.h"

namespace voxgrad {

// A sink of rows {rows, H, W, K} that hands on the same volume resampled, in rows {.., H', W', K}: bit for bit what apply(map, whole
// volume) gives. Held at a time: the rows that the next result reads, and `slab` bytes of what comes and of what goes, or a row of each
// where that is more.
class ResampledRows {
 public:
  ResampledRows(SeparableMap map, RowSink to, int64_t slab = int64_t(64) << 20);
  // Rows in order, from 0 on. An Error where they are not, or of other extents than the map's.
  void operator()(int64_t first, int64_t rows, const float* values, int64_t channels);

 private:
  void hand_on();

  SeparableMap map_;
  RowSink to_;
  int64_t slab_, plane_;            // elements of an incoming row, over K
  int64_t begin_ = 0, end_ = 0;     // the rows that are held
  int64_t next_ = 0;                // the first result that is not handed on
  std::vector<int64_t> reads_from_, reads_to_;  // results i and later read rows from the first on; i itself those before the second
  Tensor held_;  // {capacity, H, W, K}
};

// to[k stride]: the softmax of the `channels` outputs x of one voxel.
void softmax_to(const float* x, int64_t channels, float* to, int64_t stride);
// A sink of outputs in rows {rows, H, W, K} that hands on their softmax over K. size: of the volume.
RowSink softmax_rows(RowSink to, const Int3& size);

}  // namespace voxgrad
