#pragma once
#include "core/config/range.h"
#include "core/rng.h"
#include "core/tensor.h"

namespace voxgrad {

struct NoiseOptions {
  double probability = 0.1;
  Range sigma = {0, 0.1};  // in units of the image, which is taken to have standard deviation 1; all channels alike
};

// x + sigma n with n standard normal, independent for every voxel and channel of an image f32 {D, H, W, C}, in place.
void add_gaussian_noise(const Tensor& image, double sigma, Rng);

}  // namespace voxgrad
