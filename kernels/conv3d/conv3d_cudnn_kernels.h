#pragma once
#include "kernels/conv3d/conv3d_kernels.h"

namespace voxgrad {

// The passes of conv3d_kernels.h by cuDNN, by engines that repeat their bits. Beside bf16 and f16 activations the weight is rounded to
// their dtype, and its gradient comes out of that dtype. In builds without cuDNN they throw.
void cudnn_forward(Cuda, const Conv3dProblem&, View x, View w, View b, View y);
void cudnn_input_gradient(Cuda, const Conv3dProblem&, View gy, View w, View b, View gx);
void cudnn_weight_gradient(Cuda, const Conv3dProblem&, View x, View gy, View gw);

}  // namespace voxgrad
