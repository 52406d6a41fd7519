#pragma once
#include <vector>

#include "augment/sample.h"
#include "core/config/range.h"

namespace voxgrad {

struct BlurOptions {
  double probability = 0.2;
  double channel_probability = 0.5;
  Range sigma = {0.5, 1.0};  // voxels; drawn per channel and axis
};

// Separable Gaussian with a sigma per axis in voxels (0: that axis stays), kernel of round_to_odd(6 sigma + 0.5) taps with weights
// summing to 1, volume reflected at its borders without repeating the edge voxel; one channel of an image f32 {D, H, W, C}, in place.
void gaussian_blur(const Tensor& image, int channel, const Double3& sigma);

// The odd number of weights nearest to 6 sigma + 0.5, summing to 1.
std::vector<float> gaussian_taps(double sigma);

}  // namespace voxgrad
