#pragma once
#include <array>
#include <vector>

#include "core/tensor.h"

namespace voxgrad {

using Spacing = std::array<double, 3>;  // millimetres between voxel centres along D, H, W

// y[v] = min over the non-zero voxels u of `mask` of |spacing (v - u)|, in mm; +inf everywhere if there are none.
// mask: u8 {D, H, W}; result: f32 {D, H, W}. Exact, O(voxels): one scan and two lower envelopes of parabolas
// (Felzenszwalb and Huttenlocher, "Distance transforms of sampled functions", 2012).
Tensor distance_transform(const Tensor& mask, const Spacing& spacing);

// Distances in mm between two surfaces, each voxel of one to the nearest of the other. A surface is the voxels of an object with a face
// neighbour outside it (what lies outside the volume is outside the object), as in MONAI and medpy.
struct SurfaceDistances {
  std::vector<float> to_reference;   // from each surface voxel of the prediction, in memory order
  std::vector<float> to_prediction;  // from each surface voxel of the reference
};
// Half-open box [begin, end) in voxels.
struct Box {
  std::array<int64_t, 3> begin = {0, 0, 0}, end = {0, 0, 0};
  bool empty() const { return begin[0] >= end[0]; }
};
// The objects are the voxels equal to `label` in two u8 {D, H, W} tensors. `box` must contain both.
SurfaceDistances surface_distances(const Tensor& prediction, const Tensor& reference, uint8_t label, const Box& box,
                                   const Spacing& spacing);

// max over the two directions of the q-quantile (linear interpolation between order statistics, as numpy). NaN if both surfaces are
// empty, +inf if one is.
double hausdorff_distance(const SurfaceDistances&, double q = 0.95);
// Share of both surfaces that lies within `tolerance_mm` of the other (Nikolov et al. 2018, with voxels as surface elements). NaN if both
// surfaces are empty, 0 if one is.
double surface_dice(const SurfaceDistances&, double tolerance_mm);

}  // namespace voxgrad
