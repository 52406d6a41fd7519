#pragma once
#include "layers/inverse/linear_map.h"
#include "layers/mri/sampling.h"

// Images of several receiving coils. k-space and coil images are complex, f32 {N, D, H, W, 2 C} (kernels/fft/fft.h), one slice per place
// along D; sensitivities are the same, one per coil, with sum over coils |S|^2 = 1.
namespace voxgrad {

// mask fft(S x) of x {N, D, H, W, 2}: what the coils measure (Pruessmann et al. 1999). mask: {1, 1, 1, W, 1}, or absent: all columns.
LinearMap coil_map(const Tensor& sensitivities, const Tensor& mask = {});

// The root of the sum of squares over coils of ifft(k-space), {N, D, H, W, 1}: the image that takes for 0 what was not measured.
Tensor zero_filled(const Tensor& kspace);

struct SensitivityOptions {
  int64_t columns = 24;  // that are measured around the middle (centre_columns)
  int64_t rows = 0;      // as many of the middle; 0: as of columns
};
// Sensitivities from the middle of k-space, where all is measured: coil images of low resolution, weighted by a Hann window, over the root
// of their sum of squares (McKenzie et al. 2002). Where there is no signal all coils have the same.
Tensor estimate_sensitivities(const Tensor& kspace, const SensitivityOptions&);

// The sum over coils of conj(S) times ifft(k-space), {N, D, H, W, 2}.
Tensor combine_coils(const Tensor& kspace, const Tensor& sensitivities);

}  // namespace voxgrad
