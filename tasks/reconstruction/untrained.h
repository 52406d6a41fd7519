#pragma once
#include <string>

#include "io/image.h"

namespace voxgrad {

// Images from k-space of several coils without a trained network.
struct UntrainedOptions {
  std::string method = "sense";          // zero_filled, sense (conjugate gradients), total_variation or wavelets (layers/inverse/solvers.h)
  std::string sensitivities = "espirit"; // of coils: by espirit, or estimated (layers/mri/coils.h)
  // What is not fitting is weighed against: sense: |x|^2 / 2; total_variation, wavelets: their sums, for an image whose zero-filled one is
  // at most 1, so that it means the same in all units. Absent (below 0): 0.01 for sense, 0.002 else.
  double weight = -1;
  int iterations = 100;
};

// Magnitudes f32 {D, H, W, 1} of k-space f32 {D, H, W, 2 coils}, slice by slice; what is 0 in all coils was not measured. Where the middle
// is measured without a gap says which part of it the sensitivities are from.
Tensor reconstruct_untrained(const Tensor& kspace, const UntrainedOptions& = {});

// k-space {D, H, W, 2 coils}, with the geometry of its image, of a file with complex numbers {coils, H, W} or {slices, coils, H, W}, which
// read_volume gives as {coils, H, W, 2 slices}; W is the axis of phase encoding, frequency 0 in the middle. k-space in three dimensions
// (Volume::kspace_planes) is taken apart along the readout, whose places become slices, with the phase encodings along H (the second) and
// W: all of the readout is measured. Affine::spacing of what read_volume gives is that of slices (or planes), H and W. Error, in the name
// of `name`, for anything else, values that are not finite, nothing but 0, and slices whose middle was not measured.
Volume kspace_of(const Volume&, const std::string& name);

}  // namespace voxgrad
