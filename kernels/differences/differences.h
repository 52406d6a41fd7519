#pragma once
#include "core/tensor.h"

namespace voxgrad {

// Differences of neighbours along the last `axes` axes of space (1 is W, 2 are H and W, 3 are D, H and W) of x f32 or f64 {N, D, H, W, C}:
// {N, D, H, W, axes C}, channel a C + c being x[next along axis a] - x of channel c, 0 in the last plane; the axes in the order D, H, W.
// Its adjoint is minus a divergence. The norm of the map is below 2 sqrt(axes) (Chambolle 2004). Save nothing.
Tensor differences(const Tensor& x, int axes = 2);
Tensor differences_adjoint(const Tensor& y, int axes = 2);  // {N, D, H, W, axes C} to {N, D, H, W, C}

}  // namespace voxgrad
