#pragma once
#include "core/tensor.h"

namespace voxgrad {

struct MaxPool3dOptions {
  Int3 kernel = {2, 2, 2};
  Int3 stride = {0, 0, 0};  // 0: the kernel's
  Int3 padding = {0, 0, 0};  // counts as -infinity; at most half the kernel
  Int3 dilation = {1, 1, 1};
  bool ceil_mode = false;  // extents are rounded up; a window that would start beyond the padded input is left out
};

// The largest element of each window, per channel; {N, D, H, W, C} to {N, D', H', W', C},
// D' = floor((D + 2 padding - dilation (kernel - 1) - 1) / stride) + 1. A NaN stays. The gradient goes to the first of equal elements, in
// raster order. Saves one byte per output element (two where a window has more than 256 voxels).
Tensor max_pool3d(const Tensor& x, const MaxPool3dOptions& options = {});

// Windows [floor(i D / D'), ceil((i + 1) D / D')) that cover the input for any extents `out`.
Tensor adaptive_max_pool3d(const Tensor& x, const Int3& out);

}  // namespace voxgrad
