#pragma once
#include <vector>

#include "models/network.h"

namespace voxgrad {

// Several trained networks that take and give the same: their mean output, in the order of the list. It is kept in a checkpoint as any
// network, of kind "ensemble" with its "members". Error where there is none, or they differ in what they take or give.
Network ensemble_of(std::vector<Network>);

}  // namespace voxgrad
