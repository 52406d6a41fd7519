#pragma once
#include <vector>

#include "augment/sample.h"

// Heat maps of points: exp(-|x - p|^2 / (2 sigma^2)) for each, 1 at the point.
namespace voxgrad {

struct HeatPoint {
  Double3 place = {};  // in voxels
  bool known = true;   // else nothing is learned of it
};
// The maps {N, D, H, W, K} of points[n][k], 1 in `known` {N, 1, 1, 1, K} where a point is known, and, {1}, what empty heat maps would give
// for all that are known, at least 1: the number of these times the mass prod_a sigma_a sqrt(pi) over the axes of more than one voxel.
// sigma[n]: voxels along d, h, w. Made on the host.
struct HeatTargets {
  Tensor maps, known, empty;
};
HeatTargets heat_targets(const std::vector<std::vector<HeatPoint>>& points, const std::vector<Double3>& sigma, const Int3& size, DType,
                         Device);
// heat {N, D, H, W, K}: the sum over voxels of the squared differences to the maps, those of points that are not known left out, divided by
// `empty`. A scalar of accum_of(dtype); 0 where no point is known.
Tensor heat_map_loss(const Tensor& heat, const HeatTargets&);
Tensor heat_map_loss(const Tensor& heat, const std::vector<std::vector<HeatPoint>>& points, const std::vector<Double3>& sigma);

struct HeatPeak {
  Double3 place = {};
  double value = 0;  // at the largest voxel
};
// Of channel k of f32 {D, H, W, K}: around the largest voxel, the first of equal ones, the mean of the voxels within 2 sigma along each
// axis, weighted by how far they are above half the largest value.
HeatPeak peak_of(const Tensor& heat, int64_t k, const Double3& sigma);

}  // namespace voxgrad
