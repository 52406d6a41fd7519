#pragma once
#include "kernels/conv3d/conv3d_kernels.h"

namespace voxgrad {

// Whether the convolution is done by cuDNN: where it is asked for and all outputs that the input and its padding have room for are there.
// Transposed convolutions with output paddings beyond the stride have fewer, which cuDNN cannot be told.
inline bool by_cudnn(const Conv3dProblem& p) {
  bool all = p.cudnn;
  for (int a = 0; a < 3 && all; ++a) {
    const int64_t room = int64_t(p.in[a]) + 2 * int64_t(p.padding[a]) - int64_t(p.dilation[a]) * (p.kernel[a] - 1) - 1;
    all = room >= 0 && room / p.stride[a] + 1 == p.out[a];
  }
  return all;
}

// The passes of conv3d_kernels.h by cuDNN, by engines that repeat their bits. Beside bf16 and f16 activations the weight is rounded to
// their dtype, and its gradient comes out of that dtype. In builds without cuDNN they throw.
void cudnn_forward(Cuda, const Conv3dProblem&, View x, View w, View b, View y);
void cudnn_input_gradient(Cuda, const Conv3dProblem&, View gy, View w, View b, View gx);
void cudnn_weight_gradient(Cuda, const Conv3dProblem&, View x, View gy, View gw);

}  // namespace voxgrad
