#pragma once
#include "layers/blocks.h"
#include "models/network.h"

namespace voxgrad {

// The outputs of a network that ends with a convolution of 1x1x1, `head`, of `features` {1, D, H, W, C}, whose norm and activation are
// computed where they are read. Both must outlive it; bit for bit what conv3d_fused gives for all planes at once.
SlabOutputs slabs_of(const ConvSource& features, const Conv3d& head);

}  // namespace voxgrad
