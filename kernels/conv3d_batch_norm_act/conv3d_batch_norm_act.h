#pragma once
#include "kernels/conv3d/conv3d.h"
#include "kernels/norm/norm.h"

namespace voxgrad {

// What follows a convolution where its network is used: the norm by running statistics with its scale and shift {K}, or absent, the
// residual that is added, and act(z) = z > 0 ? z : slope z.
struct ConvBatchNormOptions {
  Conv3dOptions conv = {};
  double slope = 1, eps = 1e-5;
};

// y = act(batch_norm(conv3d(x, w, b), scale, shift) + skip) by running statistics; skip: as y, or absent. Where the scale is not to be
// trained, it takes the passes of the convolution alone: outputs are normalised while they are in the caches, on CUDA where they leave
// their kernel. Then it saves x where w wants a gradient, w where x does, and y behind an activation, but not the output of the
// convolution; backward is one pass over gy and y beside the gradients of the convolution. Else, and by cuDNN, it is batch_norm_act of
// conv3d, on the CPU with the same bits.
Tensor conv3d_batch_norm_act(const Tensor& x, const Tensor& w, const Tensor& b, const Tensor& scale, const Tensor& shift,
                             const RunningStatistics&, const Tensor& skip, const ConvBatchNormOptions&);

}  // namespace voxgrad
