#pragma once
#include "kernels/conv3d/conv3d_tile.h"

namespace voxgrad {

// Whether there are loops that read x, of the gather's inputs, where it is (depthwise_isa.h); they take no conversion or norm on the way.
bool is_depthwise_in_place(const ConvGather&, const ConvInput& x);

// y = gather(x, w) + bias; bias may be null.
void depthwise_gather(const ConvGather&, View x, View w, View bias, View y);
// gw, for the gather of the forward pass.
void depthwise_weight_gradient(const ConvGather&, View x, View gy, View gw);

}  // namespace voxgrad
