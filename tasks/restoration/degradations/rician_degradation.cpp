#include <cmath>

#include "tasks/restoration/degradation.h"
#include "tasks/restoration/degradations/each_voxel.h"

namespace voxgrad {

DegradationEntry rician_degradation() {
  return {.name = "rician",
          .summary =
              "sqrt((x + s n)^2 + (s m)^2), n and m standard normal: the magnitude of a complex signal in MR (Gudbjartsson and Patz "
              "1995)",
          .apply = [](const Tensor& x, const Degradation&, const DegradationDraw& draw) {
            return each_with_random(x, draw.rng, [s = draw.s](float v, Rng& r) {
              const double real = v + s * r.normal(), imaginary = s * r.normal();
              return float(std::sqrt(real * real + imaginary * imaginary));
            });
          }};
}

}  // namespace voxgrad
