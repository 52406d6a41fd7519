#pragma once
#include "augment/sample.h"
#include "core/rng.h"

namespace voxgrad {

// Band-limited noise {D, H, W} with mean 0 and variance about 1: standard normals on a grid of `cells` cells per axis, interpolated by
// cubic B-splines. With as many cells as voxels it is nearly white, with 2 or 3 it varies across the whole volume.
Tensor smooth_noise(Int3 size, const Double3& cells, Rng);

}  // namespace voxgrad
