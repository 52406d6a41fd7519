#pragma once
#include "core/rng.h"
#include "core/tensor.h"

// Measurements of several coils from images of magnitude, to train where there is no k-space.
namespace voxgrad {

struct CoilSimulation {
  int coils = 8;
  double phase = 1;      // radians: standard deviation of the smooth phase that the image gets; 0: none
  double noise = 0.005;  // standard deviation of the noise in each part of k-space, in parts of the root mean square of the image
};

// Sensitivities f32 {1, D, H, W, 2 coils} of loops around the slice at random distances, sizes and phases, with sum of squares 1:
// magnitudes fall off with the distance as a Gaussian, phases are linear in space.
Tensor simulated_sensitivities(const Shape& image, int coils, Rng);

// k-space f32 {N, D, H, W, 2 coils} of images f32 {N, D, H, W, 1}: each with a smooth random phase, times sensitivities of its own,
// transformed, with complex Gaussian noise.
Tensor simulated_kspace(const Tensor& images, const CoilSimulation&, const Rng&);

}  // namespace voxgrad
