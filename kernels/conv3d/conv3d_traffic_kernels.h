#pragma once
#include "core/dtype.h"
#include "kernels/conv3d/conv3d_kernels.h"

namespace voxgrad {

// Bytes of global memory that the kernels of a pass read and write by their plans: halos as often as they are read, weights packed and read
// by each block or cluster, sums of shares. 0: not counted for the kernel that the pass takes.
double conv3d_forward_traffic(Cuda, const Conv3dProblem&, DType);
double conv3d_input_gradient_traffic(Cuda, const Conv3dProblem&, DType);
double conv3d_weight_gradient_traffic(Cuda, const Conv3dProblem&, DType);

}  // namespace voxgrad
