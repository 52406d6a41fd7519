#pragma once
#include <string>
#include <vector>

#include "core/config/json.h"
#include "core/config/range.h"
#include "core/rng.h"
#include "core/tensor.h"

namespace voxgrad {

// What makes an image worse, with a strength drawn for each image. x is an image as the network sees it; where 0 has to be black (rician,
// poisson, speckle) it is with data.normalization=rescale_to_0_1, and what lies below is taken for 0.
//   gaussian        x + s n, n standard normal
//   rician          sqrt((x + s n)^2 + (s m)^2): the magnitude of a complex signal in MR (Gudbjartsson and Patz 1995)
//   poisson         Poisson(s x) / s: s photons, or other counts, where x is 1
//   speckle         x + s x n: multiplicative, as in ultrasound (scikit-image's random_noise)
//   blur            a Gaussian of s voxels
//   low_resolution  means of boxes of s voxels, then cubic B-splines back to the voxels there were
// blur and low_resolution act along `axes` alone: 0 is D, 1 H, 2 W.
struct Degradation {
  std::string kind = "gaussian";
  Range strength = {0.05, 0.2};
  std::vector<int> axes = {0, 1, 2};
};

// f32 {D, H, W, C} on the CPU, made worse by each in turn; a new tensor.
Tensor degraded(const Tensor& image, const std::vector<Degradation>&, Rng);
// With the middle of each range of strengths.
Tensor degraded_in_the_middle(const Tensor& image, const std::vector<Degradation>&, Rng);

// [{"kind": .., "strength": [low, high], "axes": [..]}, ..]; an Error says what is wanted.
std::vector<Degradation> degradations_from(const Json&);
Json json_of(const std::vector<Degradation>&);

}  // namespace voxgrad
