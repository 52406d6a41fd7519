#pragma once
#include <cstdint>

#include "core/dtype.h"

// Which voxels of an axis lowering the resolution reads, for both devices.
namespace voxgrad {

// round(scale full), at least 1.
int64_t coarse_extent(int64_t full, double scale);

// An axis of `full` voxels by way of `low` coarse ones: the coarse voxels around voxel i, and the weight of the upper one.
struct CoarsePlace {
  int64_t lower, upper;
  float f;
};
VOXGRAD_HD inline CoarsePlace coarse_place(int64_t i, int64_t full, int64_t low) {
  const double at = (double(i) + 0.5) / (double(full) / double(low)) - 0.5, inside = at > 0 ? at : 0;
  const int64_t lower = int64_t(inside) < low - 1 ? int64_t(inside) : low - 1;
  return {lower, lower + 1 < low ? lower + 1 : low - 1, float(inside - double(lower))};
}
// The voxel that a coarse one is a copy of.
VOXGRAD_HD inline int64_t coarse_source(int64_t coarse, int64_t full, int64_t low) {
  const int64_t at = int64_t((double(coarse) + 0.5) * (double(full) / double(low)));
  return at < full - 1 ? at : full - 1;
}

}  // namespace voxgrad
