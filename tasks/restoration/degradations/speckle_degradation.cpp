#include "tasks/restoration/degradation.h"
#include "tasks/restoration/degradations/each_voxel.h"

namespace voxgrad {

DegradationEntry speckle_degradation() {
  return {.name = "speckle",
          .summary = "x + s x n, n standard normal: multiplicative, as in ultrasound (scikit-image's random_noise)",
          .apply = [](const Tensor& x, const Degradation&, const DegradationDraw& draw) {
            return each_with_random(x, draw.rng, [s = draw.s](float v, Rng& r) { return float(v + s * v * r.normal()); });
          }};
}

}  // namespace voxgrad
