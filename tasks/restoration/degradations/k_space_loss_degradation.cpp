#include "kernels/binary/binary.h"
#include "layers/mri/sampling.h"
#include "tasks/restoration/degradation.h"
#include "tasks/restoration/degradations/k_space.h"

namespace voxgrad {

DegradationEntry k_space_loss_degradation() {
  return {.name = "k_space_loss",
          .summary =
              "the magnitude of slices of which one column of k-space in s is measured, the 8 % in the middle always (fastMRI's "
              "equispaced_fraction), 0 in place of the others",
          .least = 1,
          .strength = "all columns of k-space over those measured, from 1",
          .apply = [](const Tensor& x, const Degradation&, const DegradationDraw& draw) {
            return magnitude_of(k_space_of(x) * mask_tensor(sampling_mask(x.dim(2), {.acceleration = draw.s}, draw.rng)));
          }};
}

}  // namespace voxgrad
