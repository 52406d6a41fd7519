#pragma once
#include "models/network.h"

namespace voxgrad {

// The weights and biases of the layers whose outputs are those of the network, times `scale`, for a network whose output is added to its
// input: near 0 it begins as the identity, which training departs from by what is worth it (Zhang et al. 2019, Fixup, begin the last layer
// of a residual branch at 0; Goyal et al. 2017 its norm). Left as it is: an output that no layer with a weight gives.
// extents: of an input that the network takes; one is computed.
void scale_last_layers(Network&, const Int3& extents, double scale);

}  // namespace voxgrad
