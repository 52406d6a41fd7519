#include "augment/noise/noise.h"
#include "tasks/restoration/degradation.h"

namespace voxgrad {

DegradationEntry gaussian_degradation() {
  return {.name = "gaussian",
          .summary = "x + s n, n standard normal",
          .apply = [](const Tensor& x, const Degradation&, const DegradationDraw& draw) {
            const Tensor out = x.clone();
            add_gaussian_noise(out, draw.s, draw.rng);
            return out;
          }};
}

}  // namespace voxgrad
