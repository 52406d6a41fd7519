#include <algorithm>
#include <cmath>

#include "tasks/restoration/degradation.h"
#include "tasks/restoration/degradations/each_voxel.h"
#include "tasks/restoration/degradations/sinogram.h"

namespace voxgrad {

DegradationEntry low_dose_degradation() {
  return {.name = "low_dose",
          .summary =
              "parallel views of each slice with s photons a ray where nothing absorbs: Poisson(s exp(-p)) of them arrive, p the "
              "integral of 0.02 x along the ray in mm (water at 70 keV), their noise by filtered back-projection: CT (Beer and Lambert)",
          .least = 1,
          .strength = "photons a ray, from 1",
          .in_mm = true,
          .apply = [](const Tensor& x, const Degradation&, const DegradationDraw& draw) {
            const Sinogram seen = sinogram_of(x, draw.spacing);
            return with_measured(x, seen, each_with_random(seen.lines, draw.rng, [s = draw.s](float line, Rng& r) {
                                   const double counted = std::max(1.0, poisson_number(s * std::exp(-kAbsorption * line), r));
                                   return float(-std::log(counted / s) / kAbsorption);
                                 }));
          }};
}

}  // namespace voxgrad
