#pragma once
#include "augment/sample.h"
#include "core/rng.h"

namespace voxgrad {

// Intensity transforms with their parameters given; AugmentOptions draws them at random. Each changes an image f32 {D, H, W, C} in
// place, one channel of it where it takes one. Formulas as batchgeneratorsv2. The bits depend neither on threads nor on timing.

// x + sigma n with n standard normal, independent for every voxel and channel.
void add_gaussian_noise(const Tensor& image, double sigma, Rng);

// Separable Gaussian with a sigma per axis in voxels (0: that axis stays), kernel of round_to_odd(6 sigma + 0.5) taps with weights
// summing to 1, volume reflected at its borders without repeating the edge voxel.
void gaussian_blur(const Tensor& image, int channel, const Double3& sigma);

// factor x.
void multiply_brightness(const Tensor& image, int channel, double factor);

// mean + factor (x - mean), then clamped to the range before it if that is to be preserved.
void adjust_contrast(const Tensor& image, int channel, double factor, bool preserve_range = true);

// Down to round(scale extent) voxels per axis (nearest voxel to the centre), and trilinearly back up. 0 < scale <= 1.
void simulate_low_resolution(const Tensor& image, int channel, const Double3& scale);

struct GammaOptions {
  double gamma = 1;
  bool invert = false;       // apply to -x and negate the result: what is bright is spread instead of what is dark
  bool retain_stats = true;  // shift and scale to the mean and standard deviation from before
};
// min + range ((x - min) / range)^gamma, range = max - min.
void adjust_gamma(const Tensor& image, int channel, const GammaOptions&);

}  // namespace voxgrad
