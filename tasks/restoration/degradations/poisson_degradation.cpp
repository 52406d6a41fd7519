#include "tasks/restoration/degradation.h"
#include "tasks/restoration/degradations/each_voxel.h"

namespace voxgrad {

DegradationEntry poisson_degradation() {
  return {.name = "poisson",
          .summary = "Poisson(s x) / s: s photons, or other counts, where x is 1",
          .least = 1e-12,
          .strength = "the counts where the image is 1, above 0",
          .apply = [](const Tensor& x, const Degradation&, const DegradationDraw& draw) {
            return each_with_random(x, draw.rng, [s = draw.s](float v, Rng& r) { return float(poisson_number(s * v, r) / s); });
          }};
}

}  // namespace voxgrad
