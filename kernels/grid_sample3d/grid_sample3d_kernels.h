#pragma once
#include <cstdint>

#include "core/device/execution.h"
#include "core/view.h"

namespace voxgrad {

// x {n, in, c}, grid {n, points, 3}, y {n, points, c}.
struct GridSample {
  int64_t n = 1, c = 1, points = 0;
  int in[3] = {1, 1, 1};
  bool nearest = false, border = false, reflection = false, align_corners = false;
};
void grid_sample_forward(Cpu, const GridSample&, View x, View grid, View y);
void grid_sample_forward(Cuda, const GridSample&, View x, View grid, View y);
// Assigned. gx sums the points in their order; on CUDA in 64-bit fixed point, where a gy that is not finite makes all gx of its sample NaN.
void grid_sample_grad_x(Cpu, const GridSample&, View grid, View gy, View gx);
void grid_sample_grad_x(Cuda, const GridSample&, View grid, View gy, View gx);
void grid_sample_grad_grid(Cpu, const GridSample&, View x, View grid, View gy, View ggrid);
void grid_sample_grad_grid(Cuda, const GridSample&, View x, View grid, View gy, View ggrid);

}  // namespace voxgrad
