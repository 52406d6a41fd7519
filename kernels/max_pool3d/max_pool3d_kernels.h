#pragma once
#include "core/device/execution.h"
#include "core/view.h"
#include "kernels/max_pool3d/pool_axis.h"

namespace voxgrad {

struct MaxPool {
  int64_t n = 1, c = 1;
  PoolAxis axis[3];
};
// winner (may be null; u8 or i16 bits, unsigned): which tap (d, h, w in raster order of the largest window) each output is.
void max_pool_forward(Cpu, const MaxPool&, View x, View y, View winner);
void max_pool_forward(Cuda, const MaxPool&, View x, View y, View winner);
// gx is assigned: each input sums the gradients of the outputs that it is the winner of, in raster order.
void max_pool_backward(Cpu, const MaxPool&, View winner, View gy, View gx);
void max_pool_backward(Cuda, const MaxPool&, View winner, View gy, View gx);

}  // namespace voxgrad
