#pragma once
#include "kernels/conv3d/conv3d_tile.h"

namespace voxgrad {

// Whether the loops of depthwise_isa.h do this gather.
bool is_depthwise_brick(const ConvGather&);

// y = gather(x, w) + bias; bias may be null.
void depthwise_gather(const ConvGather&, const ConvInput& x, View w, View bias, View y);
// gw, for the gather of the forward pass.
void depthwise_weight_gradient(const ConvGather&, const ConvInput& x, View gy, View gw);

}  // namespace voxgrad
