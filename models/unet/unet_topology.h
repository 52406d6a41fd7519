#pragma once
#include <array>
#include <vector>

#include "core/shape.h"

namespace voxgrad {

using PlanExtent = std::array<double, 3>;  // voxels or millimetres along D, H, W
inline PlanExtent extent_of(const Int3& v) { return {double(v.d), double(v.h), double(v.w)}; }

// Strides and kernels of the stages of a U-Net.
struct UNetTopology {
  std::vector<Int3> strides, kernels;  // per stage; the first stride is 1
  Int3 divisor = {1, 1, 1};            // product of the strides
};

struct TopologyRules {
  int max_stages = 6;
  // Kernels of the last stage are 3 along every axis, and those along an axis of one voxel may be 3.
  bool nnunet = false;
  bool flat = false;  // a 2D network: kernels and strides are 1 along D
};

// nnU-Net's rules (Isensee et al. 2021): an axis is halved while its extent is at least 8 voxels and its spacing less than twice the finest
// of such axes, a single one while it has at least 12. A kernel is 1 along an axis until its spacing is less than twice the finest, then 3,
// and wherever the stage is entered by a stride.
UNetTopology unet_topology(const PlanExtent& patch, PlanExtent spacing_mm, const TopologyRules&);

// Of a patch for which there would be one stage alone: the least enlarged one for which there are two. Axes of one voxel stay so where
// others have more; of 1x1x1 D does.
PlanExtent enough_for_two_stages(PlanExtent patch, const PlanExtent& spacing_mm, const TopologyRules&);

// The least multiple of `divisor` that holds `patch`.
Int3 padded_to(const PlanExtent& patch, const Int3& divisor);

}  // namespace voxgrad
