#pragma once
#include "augment/sample.h"
#include "core/config/range.h"

namespace voxgrad {

struct LowResolutionOptions {
  double probability = 0.25;
  double channel_probability = 0.5;
  Range scale = {0.5, 1.0};  // per channel, the same on all axes but across the slices of a flat patch
};

// Down to round(scale extent) voxels per axis (nearest voxel to the centre), and trilinearly back up, 0 < scale <= 1; one channel of an
// image f32 {D, H, W, C}, in place.
void simulate_low_resolution(const Tensor& image, int channel, const Double3& scale);

}  // namespace voxgrad
