#pragma once
#include <string>

#include "core/rng.h"
#include "core/tensor.h"
#include "layers/mri/sampling.h"

namespace voxgrad {

// How slices are measured.
struct MeasurementOptions {
  std::string kind = "kspace";  // of several coils, undersampled; or projections, from few views
  // k-space
  int coils = 8;
  std::string mask = "equispaced_fraction";  // of columns, as Sampling has it, or poisson_disc: of places (layers/mri/poisson_disc.h)
  std::string mask_file = "";                // in place of it: {H, W} numbers, not 0 where slices are measured
  double centre_fraction = 0.08, acceleration = 4;
  double phase = 1;      // radians: of the smooth phase that images of magnitude get
  double noise = 0.005;  // in parts of the root mean square of the image
  // projections
  int views = 60;                 // parallel, over half a turn (square_geometry)
  double projection_noise = 0.01;  // in parts of the mean of the projections
};
Sampling sampling_of(const std::string& mask);

// What is measured of slices, and the image that needs no training.
struct Measurement {
  Tensor data;   // what varnet takes (undersampled_input), or projections
  Tensor image;  // zero-filled, or by filtered back-projection (Hann); f32 {N, 1, H, W, 1}
};
// slices: f32 {N, 1, H, W, 1} on the CPU, square where they are projected. Slice n is measured with the random numbers rng.at(first + n).
Measurement measured(const Tensor& slices, const MeasurementOptions&, const Rng& rng, int64_t first = 0);

// The same of k-space {N, 1, H, W, 2 coils} that was measured, where it is not 0 in all coils.
Measurement measured_in(const Tensor& kspace);

}  // namespace voxgrad
