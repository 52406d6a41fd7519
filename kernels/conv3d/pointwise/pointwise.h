#pragma once
#include "kernels/conv3d/conv3d_tile.h"

namespace voxgrad {

// Whether the loops of pointwise_isa.h do this gather.
bool is_few_pointwise(const ConvGather&, const ConvInput& x);
// y = gather(x, w) + bias; bias may be null.
void pointwise_gather(const ConvGather&, View x, View w, View bias, View y);

}  // namespace voxgrad
