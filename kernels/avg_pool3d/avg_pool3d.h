#pragma once
#include "core/tensor.h"

namespace voxgrad {

struct AvgPool3dOptions {
  Int3 kernel = {2, 2, 2};
  Int3 stride = {0, 0, 0};  // 0: the kernel's
  Int3 padding = {0, 0, 0};  // zeros; at most half the kernel
  bool ceil_mode = false;  // extents are rounded up; a window that would start beyond the padded input is left out
  bool count_include_pad = true;  // the mean is over the window inside the padded input; false: inside the input
};

// The mean of each window, per channel; {N, D, H, W, C} to {N, D', H', W', C}, D' = floor((D + 2 padding - kernel) / stride) + 1.
// Saves nothing.
Tensor avg_pool3d(const Tensor& x, const AvgPool3dOptions& options = {});

// Windows [floor(i D / D'), ceil((i + 1) D / D')) that cover the input for any extents `out`. {1, 1, 1}: global average pooling.
Tensor adaptive_avg_pool3d(const Tensor& x, const Int3& out);

}  // namespace voxgrad
