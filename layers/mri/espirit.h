#pragma once
#include "core/tensor.h"

namespace voxgrad {

struct EspiritOptions {
  int64_t columns = 24;      // that are measured around the middle (centre_columns)
  int64_t rows = 0;          // as many of the middle; 0: as of columns
  int kernel = 6;            // rows and columns of the blocks of k-space that are compared; at most a third of those of the middle
  double threshold = 0.02;   // singular values up to this part of the largest one are noise
  double crop = 0.95;        // sensitivities are 0 where the eigenvalue is not above this, or above this part of the largest one
};
// Sensitivities of the coils, f32 {N, D, H, W, 2 C} of k-space of this shape, by ESPIRiT (Uecker et al. 2014, MRM 71:990): the blocks of
// the middle of k-space span a space, by a singular value decomposition; sensitivities are, at each place, the eigenvector of the largest
// eigenvalue of the projection onto it, taken to the image: 1 where there is a signal that one set of sensitivities explains. The sum over
// coils of |S|^2 is 1, or 0 beyond the object. Phases are such that the coil of the strongest combination (the first one of a principal
// component analysis of the middle) would have a real positive sensitivity. Constants: nothing is recorded. Slices (N D) are taken one by
// one. Thresholds are those of sigpy.mri.app.EspiritCalib.
Tensor espirit_sensitivities(const Tensor& kspace, const EspiritOptions& = {});

}  // namespace voxgrad
