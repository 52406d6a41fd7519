#pragma once
#include "core/op.h"
#include "core/tensor.h"
#include "kernels/max_pool3d/pool_axis.h"

namespace voxgrad {

// What the poolings have in common.
struct PoolWindows {
  Int3 kernel, stride, padding, dilation = {1, 1, 1};
  bool ceil_mode = false;
};
struct PoolAxes {
  PoolAxis axis[3];
};

// What a recorded op tells of them.
std::vector<Attribute> attributes_of(const PoolWindows&);

// Checked, in the name of `op`, against x {N, D, H, W, C}.
PoolAxes pool_axes(const char* op, const Tensor& x, const PoolWindows&);
PoolAxes adaptive_axes(const char* op, const Tensor& x, const Int3& out);
// x with the extents of the outputs.
Shape pooled_shape(const Shape& x, const PoolAxes&);

}  // namespace voxgrad
