#include "tasks/restoration/degradations/each_voxel.h"

#include <cmath>

namespace voxgrad {

double poisson_number(double mean, Rng& rng) {
  if (mean > 64) return std::max(0.0, std::round(mean + std::sqrt(mean) * rng.normal()));
  const double u = rng.uniform();
  double p = std::exp(-mean), sum = p;
  int k = 0;
  for (; sum < u && k < 1000; ++k) sum += p *= mean / (k + 1);
  return k;
}

}  // namespace voxgrad
