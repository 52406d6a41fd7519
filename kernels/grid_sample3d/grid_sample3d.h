#pragma once
#include "core/tensor.h"

namespace voxgrad {

enum class GridMode { bilinear, nearest };  // bilinear in each of three axes; nearest rounds half to even
enum class GridPadding {
  zeros,       // outside is 0
  border,      // coordinates are clamped to the outermost voxel centres
  reflection,  // coordinates are mirrored at the border (at the outermost voxel centres with align_corners)
};

struct GridSample3dOptions {
  GridMode mode = GridMode::bilinear;
  GridPadding padding = GridPadding::zeros;
  bool align_corners = false;
};

// y[n, z, p, q, :] = x[n] at grid[n, z, p, q] = (w, h, d), where -1 and 1 are the outer borders of the first and last voxel (their centres
// with align_corners). x {N, D, H, W, C}, grid {N, Z, P, Q, 3} of accum_of(dtype of x), y {N, Z, P, Q, C}. Values are
// clamped to +-1e6, a NaN counts as -1e6. Saves x (if the grid wants a gradient) and grid.
Tensor grid_sample3d(const Tensor& x, const Tensor& grid, const GridSample3dOptions& options = {});

}  // namespace voxgrad
