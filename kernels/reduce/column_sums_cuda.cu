#include "core/cuda/reduce.h"
#include "kernels/reduce/column_sums.cuh"

namespace voxgrad {
namespace {
// One warp per column.
__global__ void reduce_column_sums_kernel(ColumnCut c, const float* partial, double scale, float* out) {
  const int lane = int(threadIdx.x) % 32;
  const int64_t column = int64_t(blockIdx.x) * (blockDim.x / 32) + threadIdx.x / 32;
  double sum = 0;
  if (column < c.columns)
    for (int64_t k = lane; k < c.chunks; k += 32) sum += double(partial[(blockIdx.y * c.chunks + k) * c.columns + column]);
  sum = warp_sum(sum);
  if (lane == 0 && column < c.columns) out[blockIdx.y * c.columns + column] = float(sum * scale);
}
}  // namespace

void finish_column_sums(Cuda on, const ColumnCut& c, const float* partial, double scale, float* out) {
  launch<reduce_column_sums_kernel>(on, {.x = (c.columns + 7) / 8, .y = c.outer, .threads = 256}, c, partial, scale, out);
}

}  // namespace voxgrad
