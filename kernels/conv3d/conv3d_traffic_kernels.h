#pragma once
#include "core/dtype.h"
#include "kernels/conv3d/conv3d_kernels.h"

namespace voxgrad {

// Bytes of global memory that the kernels of a pass read and write by their plans. All 0: not counted for the kernel that the pass takes.
struct ConvTraffic {
  double activations = 0;  // but of depthwise kernels: halos as often as they are read: by blocks of output channels, by shares of the taps
  double halos = 0;        // that, if each tile read each voxel of its halo once; of gradients of weights with gy, read once
  double others = 0;       // weights packed and read by each block or cluster, outputs, sums of shares
  double bytes() const { return activations + others; }
  double rereads() const { return halos > 0 ? activations / halos : 0; }
};
ConvTraffic conv3d_forward_traffic(Cuda, const Conv3dProblem&, DType);
ConvTraffic conv3d_input_gradient_traffic(Cuda, const Conv3dProblem&, DType);
ConvTraffic conv3d_weight_gradient_traffic(Cuda, const Conv3dProblem&, DType);

}  // namespace voxgrad
