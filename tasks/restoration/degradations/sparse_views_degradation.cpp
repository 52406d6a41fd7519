#include <cmath>
#include <numbers>

#include "tasks/restoration/degradation.h"
#include "tasks/restoration/degradations/sinogram.h"

namespace voxgrad {

DegradationEntry sparse_views_degradation() {
  return {.name = "sparse_views",
          .summary = "filtered back-projection of s parallel views of each slice over half a turn, from a random angle on: CT",
          .least = 1,
          .most = 100000,
          .strength = "a number of views, from 1",
          .in_mm = true,
          .apply = [](const Tensor& x, const Degradation&, const DegradationDraw& draw) {
            const int64_t views = std::llround(draw.s);
            Rng rng = draw.rng;
            const Sinogram seen = sinogram_of(x, draw.spacing, views, rng.uniform(0, std::numbers::pi / double(views)));
            return back_projected(seen.lines, seen.geometry);
          }};
}

}  // namespace voxgrad
