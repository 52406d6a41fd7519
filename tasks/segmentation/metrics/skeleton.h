#pragma once
#include "tasks/segmentation/distance.h"

namespace voxgrad {

// The centreline of an object by thinning: voxels are taken away from its six sides in turn (four of a flat volume) as long as that changes
// neither how many parts, holes and cavities it has nor the end of a line (Lee, Kashyap and Chu 1994, "Building skeleton models via 3-D
// medial surface/axis thinning algorithms"). The same voxels as scikit-image's skeletonize(method="lee"). mask: u8 {D, H, W}, of which the
// object is what equals `label`, all within `box`; what lies outside of the volume is outside of the object. u8 of the extents of the box,
// 0 or 1.
Tensor skeleton_of(const Tensor& mask, uint8_t label, const Box& box);

}  // namespace voxgrad
